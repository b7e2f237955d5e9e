#include "grpc/health_messages.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "protobuf/field_reader.h"

namespace extproc::grpc {
namespace {

constexpr protozero::pbf_tag_type kService = 1;
constexpr protozero::pbf_tag_type kStatus = 1;

}  // namespace

std::optional<std::string_view> read_health_request(std::string_view message) {
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

void write_health_request(std::string& out, std::string_view service) {
  if (!service.empty()) {
    protozero::pbf_writer(out).add_string(kService, service.data(), service.size());
  }
}

std::optional<ServingStatus> read_health_response(std::string_view message) {
  auto status = ServingStatus::unknown;
  try {
    protobuf::FieldReader reader(message);
    while (reader.next(kStatus, protozero::pbf_wire_type::varint)) {
      status = static_cast<ServingStatus>(reader.get_enum());
    }
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  return status;
}

void write_health_response(std::string& out, ServingStatus status) {
  protozero::pbf_writer(out).add_enum(kStatus, static_cast<std::int32_t>(status));
}

}  // namespace extproc::grpc
