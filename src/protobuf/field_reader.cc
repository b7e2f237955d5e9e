#include "protobuf/field_reader.h"

namespace extproc::protobuf {

std::uint64_t FieldReader::read_long_varint() {
  constexpr std::ptrdiff_t kLongest = 5;
  const char* const begin = at_;
  const std::uint64_t value = get_varint();
  if (at_ - begin > kLongest) throw protozero::varint_too_long_exception{};
  return value;
}

void FieldReader::skip_group() {
  const std::uint32_t end = tag_ - kStartGroup + kEndGroup;
  if (deeper_ == 0) throw protozero::invalid_length_exception{};
  --deeper_;
  for (read_tag(); tag_ != end; read_tag()) {
    if (!is_field(tag_)) throw protozero::unknown_pbf_wire_type_exception{};
    skip();
  }
  ++deeper_;
}

}  // namespace extproc::protobuf
