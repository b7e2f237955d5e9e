#include "http2/header_decoder.h"

#include <cstddef>
#include <new>

namespace extproc::http2 {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// Drops a number of RFC 7541, section 5.1, and returns it; at most what `block` has is dropped.
std::size_t take_number(std::string_view& block, unsigned prefix_bits) {
  if (block.empty()) return 0;
  const std::size_t most = (std::size_t{1} << prefix_bits) - 1;
  std::size_t number = byte_at(block, 0) & most;
  block.remove_prefix(1);
  if (number < most) return number;
  for (unsigned shift = 0; !block.empty() && shift < 32; shift += 7) {
    const unsigned byte = byte_at(block, 0);
    block.remove_prefix(1);
    number += std::size_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) break;
  }
  return number;
}

void drop_string(std::string_view& block) {
  const std::size_t size = take_number(block, 7);
  block.remove_prefix(size < block.size() ? size : block.size());
}

}  // namespace

// RFC 7541, section 6: only indexed fields, and literals that are not added, leave it as it is.
bool changes_table(std::string_view block) {
  while (!block.empty()) {
    const unsigned first = byte_at(block, 0);
    if ((first & 0x80U) != 0) {
      take_number(block, 7);
    } else if ((first & 0x60U) != 0) {
      return true;
    } else {
      if (take_number(block, 4) == 0) drop_string(block);
      drop_string(block);
    }
  }
  return false;
}

HeaderDecoder::HeaderDecoder() {
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) throw std::bad_alloc();
  inflater_.reset(inflater);
}

std::ptrdiff_t HeaderDecoder::next(std::string_view block, nghttp2_nv& header, int& flags) {
  constexpr int kComplete = 1;
  flags = 0;
  return nghttp2_hd_inflate_hd2(inflater_.get(), &header, &flags,
                                reinterpret_cast<const std::uint8_t*>(block.data()), block.size(),
                                kComplete);
}

void HeaderDecoder::end(std::string_view block) {
  nghttp2_hd_inflate_end_headers(inflater_.get());
  table_changed_ = changes_table(block);
  if (table_changed_) remembered_.clear();
}

void HeaderDecoder::remember(std::string_view block) {
  forget();
  if (block.size() <= kMostRemembered && !table_changed_) remembered_ = block;
}

}  // namespace extproc::http2
