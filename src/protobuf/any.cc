#include "protobuf/any.h"

#include <protozero/exception.hpp>

#include "protobuf/field_reader.h"

namespace extproc::protobuf {

using protozero::tag_and_type;

TypedValue read_any(std::string_view bytes) {
  constexpr auto kBytes = protozero::pbf_wire_type::length_delimited;
  TypedValue any;
  try {
    FieldReader field(bytes);
    while (field.next()) {
      if (field.tag_and_type() == tag_and_type(1, kBytes)) {
        any.type_url = field.get_bytes();
      } else if (field.tag_and_type() == tag_and_type(2, kBytes)) {
        any.value = field.get_bytes();
      } else {
        field.skip();
      }
    }
  } catch (const protozero::exception&) {
    return {};
  }
  return any;
}

}  // namespace extproc::protobuf
