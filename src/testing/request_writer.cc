#include "testing/request_writer.h"

#include <protozero/pbf_writer.hpp>

namespace extproc::testing {
namespace {

using protozero::pbf_writer;

protozero::pbf_tag_type field_of(Phase phase) {
  switch (phase) {
    case Phase::request_headers:
      return 2;
    case Phase::response_headers:
      return 3;
    case Phase::request_body:
      return 4;
    case Phase::response_body:
      return 5;
    case Phase::request_trailers:
      return 6;
    case Phase::response_trailers:
      return 7;
  }
  return 0;
}

// Nested messages are written on their own first: protozero drops a nested writer's message when it
// is empty, while Envoy sends empty trailers as such.
std::string header_map(const HeaderList& entries) {
  std::string bytes;
  pbf_writer map(bytes);
  for (const auto& [name, value] : entries) {
    pbf_writer header(map, 1);
    header.add_string(1, name);
    header.add_bytes(3, value);
  }
  return bytes;
}

void add_extras(pbf_writer& message, const MessageExtras& extras) {
  if (extras.metadata_context != nullptr) message.add_message(8, *extras.metadata_context);
  if (extras.attributes != nullptr) message.add_message(9, *extras.attributes);
  if (extras.observability_mode) message.add_bool(10, true);
  if (extras.protocol_config == nullptr) return;
  pbf_writer config(message, 11);
  config.add_enum(1, static_cast<int>(extras.protocol_config->request_body_mode));
  config.add_enum(2, static_cast<int>(extras.protocol_config->response_body_mode));
  config.add_bool(3, extras.protocol_config->send_body_without_waiting_for_header_response);
}

std::string message(Phase phase, const std::string& data, const MessageExtras& extras) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_message(field_of(phase), data);
  add_extras(writer, extras);
  return bytes;
}

}  // namespace

std::string write_headers(Phase phase, const HeaderList& entries, bool end_of_stream,
                          const MessageExtras& extras) {
  std::string http_headers;
  pbf_writer writer(http_headers);
  writer.add_message(1, header_map(entries));
  writer.add_bool(3, end_of_stream);
  return message(phase, http_headers, extras);
}

std::string write_body(Phase phase, std::string_view body, bool end_of_stream,
                       const MessageExtras& extras) {
  std::string http_body;
  pbf_writer writer(http_body);
  writer.add_bytes(1, body.data(), body.size());
  writer.add_bool(2, end_of_stream);
  return message(phase, http_body, extras);
}

std::string write_trailers(Phase phase, const HeaderList& entries, const MessageExtras& extras) {
  std::string http_trailers;
  pbf_writer(http_trailers).add_message(1, header_map(entries));
  return message(phase, http_trailers, extras);
}

}  // namespace extproc::testing
