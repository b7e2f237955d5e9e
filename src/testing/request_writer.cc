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

void add_header_map(pbf_writer& parent, const HeaderList& entries) {
  pbf_writer map(parent, 1);
  for (const auto& [name, value] : entries) {
    pbf_writer header(map, 1);
    header.add_string(1, name);
    header.add_bytes(3, value);
  }
}

void add_extras(pbf_writer& message, const MessageExtras& extras) {
  if (extras.observability_mode) message.add_bool(10, true);
  if (extras.protocol_config == nullptr) return;
  pbf_writer config(message, 11);
  config.add_enum(1, static_cast<int>(extras.protocol_config->request_body_mode));
  config.add_enum(2, static_cast<int>(extras.protocol_config->response_body_mode));
  config.add_bool(3, extras.protocol_config->send_body_without_waiting_for_header_response);
}

}  // namespace

std::string write_headers(Phase phase, const HeaderList& entries, bool end_of_stream,
                          const MessageExtras& extras) {
  std::string bytes;
  pbf_writer message(bytes);
  {
    pbf_writer headers(message, field_of(phase));
    add_header_map(headers, entries);
    headers.add_bool(3, end_of_stream);
  }
  add_extras(message, extras);
  return bytes;
}

std::string write_body(Phase phase, std::string_view body, bool end_of_stream,
                       const MessageExtras& extras) {
  std::string bytes;
  pbf_writer message(bytes);
  {
    pbf_writer http_body(message, field_of(phase));
    http_body.add_bytes(1, body.data(), body.size());
    http_body.add_bool(2, end_of_stream);
  }
  add_extras(message, extras);
  return bytes;
}

std::string write_trailers(Phase phase, const HeaderList& entries, const MessageExtras& extras) {
  std::string bytes;
  pbf_writer message(bytes);
  {
    pbf_writer trailers(message, field_of(phase));
    add_header_map(trailers, entries);
  }
  add_extras(message, extras);
  return bytes;
}

}  // namespace extproc::testing
