#include "grpc/health_messages.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "protobuf/field_reader.h"

namespace extproc::grpc {

std::optional<std::string_view> read_health_request(std::string_view message) {
  constexpr protozero::pbf_tag_type kService = 1;
  std::string_view service;
  try {
    protobuf::FieldReader reader(message);
    while (reader.next()) {
      if (reader.tag_and_type() ==
          protozero::tag_and_type(kService, protozero::pbf_wire_type::length_delimited)) {
        service = reader.get_bytes();
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  return service;
}

void write_health_response(std::string& out, ServingStatus status) {
  constexpr protozero::pbf_tag_type kStatus = 1;
  protozero::pbf_writer(out).add_enum(kStatus, static_cast<std::int32_t>(status));
}

}  // namespace extproc::grpc
