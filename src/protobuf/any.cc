#include "protobuf/any.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "protobuf/map_reader.h"

namespace extproc::protobuf {

using protozero::tag_and_type;

TypedValue read_any(std::string_view bytes) {
  constexpr auto kBytes = protozero::pbf_wire_type::length_delimited;
  TypedValue any;
  try {
    protozero::pbf_reader field(bytes.data(), bytes.size());
    while (field.next()) {
      if (field.tag_and_type() == tag_and_type(1, kBytes)) {
        any.type_url = bytes_of(field);
      } else if (field.tag_and_type() == tag_and_type(2, kBytes)) {
        any.value = bytes_of(field);
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
