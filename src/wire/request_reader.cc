#include "wire/request_reader.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

namespace extproc::wire {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::tag_and_type;

constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;
constexpr pbf_wire_type kVarint = pbf_wire_type::varint;

std::string_view bytes_of(pbf_reader& field) {
  const auto view = field.get_view();
  return {view.data(), view.size()};
}

// envoy.config.core.v3.HeaderValue
void read_header_value(pbf_reader field, Header& header) {
  std::string_view value;
  std::string_view raw_value;
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kBytes):
        header.name = bytes_of(field);
        break;
      case tag_and_type(2, kBytes):
        value = bytes_of(field);
        break;
      case tag_and_type(3, kBytes):
        raw_value = bytes_of(field);
        break;
      default:
        field.skip();
    }
  }
  header.value = raw_value.empty() ? value : raw_value;
}

// envoy.config.core.v3.HeaderMap
void read_header_map(pbf_reader field, std::vector<Header>& entries) {
  while (field.next()) {
    if (field.tag_and_type() == tag_and_type(1, kBytes)) {
      read_header_value(field.get_message(), entries.emplace_back());
    } else {
      field.skip();
    }
  }
}

void read_headers(pbf_reader field, RequestMessage& message, std::vector<Header>& entries) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kBytes):
        read_header_map(field.get_message(), entries);
        break;
      case tag_and_type(3, kVarint):
        message.end_of_stream = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

void read_body(pbf_reader field, RequestMessage& message) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kBytes):
        message.body = bytes_of(field);
        break;
      case tag_and_type(2, kVarint):
        message.end_of_stream = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

void read_trailers(pbf_reader field, std::vector<Header>& entries) {
  while (field.next()) {
    if (field.tag_and_type() == tag_and_type(1, kBytes)) {
      read_header_map(field.get_message(), entries);
    } else {
      field.skip();
    }
  }
}

// A mode that this version does not know is as good as none.
BodyMode body_mode(std::int32_t number) {
  return number >= 0 && number <= static_cast<int>(BodyMode::grpc) ? static_cast<BodyMode>(number)
                                                                   : BodyMode::none;
}

void read_protocol_config(pbf_reader field, ProtocolConfig& config) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kVarint):
        config.request_body_mode = body_mode(field.get_enum());
        break;
      case tag_and_type(2, kVarint):
        config.response_body_mode = body_mode(field.get_enum());
        break;
      case tag_and_type(3, kVarint):
        config.send_body_without_waiting_for_header_response = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

// Another member of the oneof discards what the earlier one held; the same one is merged into it.
void enter_phase(Phase phase, RequestMessage& message, std::vector<Header>& entries) {
  if (message.phase == phase) return;
  message.phase = phase;
  message.end_of_stream = false;
  message.body = {};
  entries.clear();
}

void read_message(pbf_reader field, RequestMessage& message, std::vector<Header>& entries) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(2, kBytes):
        enter_phase(Phase::request_headers, message, entries);
        read_headers(field.get_message(), message, entries);
        break;
      case tag_and_type(3, kBytes):
        enter_phase(Phase::response_headers, message, entries);
        read_headers(field.get_message(), message, entries);
        break;
      case tag_and_type(4, kBytes):
        enter_phase(Phase::request_body, message, entries);
        read_body(field.get_message(), message);
        break;
      case tag_and_type(5, kBytes):
        enter_phase(Phase::response_body, message, entries);
        read_body(field.get_message(), message);
        break;
      case tag_and_type(6, kBytes):
        enter_phase(Phase::request_trailers, message, entries);
        read_trailers(field.get_message(), entries);
        break;
      case tag_and_type(7, kBytes):
        enter_phase(Phase::response_trailers, message, entries);
        read_trailers(field.get_message(), entries);
        break;
      case tag_and_type(10, kVarint):
        message.observability_mode = field.get_bool();
        break;
      case tag_and_type(11, kBytes):
        if (!message.protocol_config) message.protocol_config.emplace();
        read_protocol_config(field.get_message(), *message.protocol_config);
        break;
      default:
        field.skip();
    }
  }
}

}  // namespace

bool read_request(std::string_view bytes, RequestMessage& message, std::vector<Header>& entries) {
  message = RequestMessage{};
  entries.clear();
  try {
    read_message(pbf_reader(bytes.data(), bytes.size()), message, entries);
    return true;
  } catch (const protozero::exception&) {
    // protozero tells broken bytes by throwing; this is the only place that hears it.
    return false;
  }
}

}  // namespace extproc::wire
