#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/recycle.h"

namespace extproc::http2 {

/// HPACK of the peer's header blocks, by nghttp2.
///
/// A peer that says the same headers again and again, as Envoy does for each of its streams, says
/// them in the same bytes once they are in the dynamic table. A block that does not change the
/// table can be remembered, and needs no decoding when it comes again.
class HeaderDecoder {
 public:
  HeaderDecoder();

  /// Calls `each(name, value)` for the headers of a complete block, whose text is valid within that
  /// call only. False when the block is broken, after which the connection has to end.
  template <class Each>
  bool decode(std::string_view block, const Each& each);

  /// Remembers the block that was decoded last, if it can be.
  void remember(std::string_view block);
  void forget() { remembered_.clear(); }
  /// The same, with its memory.
  void give_back() { release(remembered_); }
  /// True when `block` is the one remembered, and says the same still.
  bool remembers(std::string_view block) const {
    return !remembered_.empty() && block == remembered_;
  }

 private:
  static constexpr std::size_t kMostRemembered = 4096;
  struct Delete {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };

  /// -1 when the block is broken, else what was read of it.
  std::ptrdiff_t next(std::string_view block, nghttp2_nv& header, int& flags);
  void end(std::string_view block);

  std::unique_ptr<nghttp2_hd_inflater, Delete> inflater_;
  std::string remembered_;
  bool table_changed_ = false;  // by the block that was decoded last
};

/// Whether decoding `block`, which is a correct one, changes the dynamic table.
bool changes_table(std::string_view block);

template <class Each>
bool HeaderDecoder::decode(std::string_view block, const Each& each) {
  int flags = 0;
  std::string_view rest = block;
  while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
    nghttp2_nv header;
    const std::ptrdiff_t read = next(rest, header, flags);
    if (read < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(read));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0) continue;
    each(std::string_view(reinterpret_cast<const char*>(header.name), header.namelen),
         std::string_view(reinterpret_cast<const char*>(header.value), header.valuelen));
  }
  end(block);
  return true;
}

}  // namespace extproc::http2
