#include "http2/header_encoder.h"

#include <algorithm>

namespace extproc::http2 {
namespace {

// The beginning of each form of RFC 7541, section 6, and the bits that are left for its number.
struct Form {
  std::uint8_t bits;
  unsigned number_bits;
};
constexpr Form kIndexed{0x80, 7};
constexpr Form kLiteralAdded{0x40, 6};
constexpr Form kTableSize{0x20, 5};
constexpr Form kLiteral{0x00, 4};
constexpr Form kPlainString{0x00, 7};

constexpr std::size_t kStaticEntries = 61;
constexpr std::size_t kEntryOverhead = 32;

void append_number(std::string& out, Form form, std::size_t number) {
  const std::size_t most = (std::size_t{1} << form.number_bits) - 1;
  if (number < most) {
    out += static_cast<char>(form.bits | number);
    return;
  }
  out += static_cast<char>(form.bits | most);
  number -= most;
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>(0x80U | (number & 0x7FU));
  out += static_cast<char>(number);
}

void append_string(std::string& out, std::string_view text) {
  append_number(out, kPlainString, text.size());
  out += text;
}

struct StaticEntry {
  std::uint8_t index;
  std::string_view name;
  std::string_view value;
};
// Of RFC 7541, appendix A: what our answers have.
constexpr StaticEntry kStaticTable[] = {
    {8, ":status", "200"},
    {22, "allow", ""},
    {31, "content-type", ""},
};

}  // namespace

Header constant_header(std::string_view name, std::string_view value) {
  Header header = passing_header(name, value);
  header.constant = true;
  return header;
}

Header passing_header(std::string_view name, std::string_view value) {
  Header header{name, value, false, 0, 0};
  for (const StaticEntry& entry : kStaticTable) {
    if (entry.name != name) continue;
    header.static_name = entry.index;
    if (entry.value == value) header.static_entry = entry.index;
  }
  return header;
}

void HeaderEncoder::encode(std::span<const Header> headers, std::string& out) {
  if (least_limit_ < told_bytes_ || most_bytes_ != told_bytes_) tell_table_size(out);
  for (const Header& header : headers) encode(header, out);
}

void HeaderEncoder::encode(const Header& header, std::string& out) {
  if (header.static_entry != 0) return append_number(out, kIndexed, header.static_entry);
  Form form = kLiteral;
  if (header.constant) {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      if (entries_[i].name == header.name.data() && entries_[i].value == header.value.data())
        return append_number(out, kIndexed, kStaticEntries + entries_.size() - i);
    }
    if (add_entry(header)) form = kLiteralAdded;
  }
  append_number(out, form, header.static_name);
  if (header.static_name == 0) append_string(out, header.name);
  append_string(out, header.value);
}

bool HeaderEncoder::add_entry(const Header& header) {
  const std::size_t bytes = header.name.size() + header.value.size() + kEntryOverhead;
  if (bytes_ + bytes > most_bytes_) return false;
  entries_.push_back({header.name.data(), header.value.data(), bytes});
  bytes_ += bytes;
  return true;
}

void HeaderEncoder::limit_table(std::uint32_t bytes) {
  least_limit_ = std::min(least_limit_, bytes);
  most_bytes_ = std::min(bytes, kFirstTableBytes);
}

// Section 4.2: the smallest limit since the last block has to be told as well as the last one.
void HeaderEncoder::tell_table_size(std::string& out) {
  if (least_limit_ < most_bytes_) append_number(out, kTableSize, least_limit_);
  append_number(out, kTableSize, most_bytes_);
  while (bytes_ > least_limit_) {
    bytes_ -= entries_.front().bytes;
    entries_.erase(entries_.begin());
  }
  least_limit_ = told_bytes_ = most_bytes_;
}

}  // namespace extproc::http2
