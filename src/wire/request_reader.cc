#include "wire/request_reader.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "protobuf/field_reader.h"

namespace extproc::wire {

namespace {

using protobuf::FieldReader;
using protozero::pbf_wire_type;
using protozero::tag_and_type;

constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;
constexpr pbf_wire_type kVarint = pbf_wire_type::varint;

/// A HeaderMap is within two messages.
constexpr int kHeaderMapDepth = 2;

struct TooManyHeaders : protozero::exception {
  const char* what() const noexcept override { return "too many headers"; }
};

// envoy.config.core.v3.HeaderValue
void read_header_value(FieldReader field, Header& header) {
  std::string_view value;
  std::string_view raw_value;
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kBytes):
        header.name = field.get_bytes();
        break;
      case tag_and_type(2, kBytes):
        value = field.get_bytes();
        break;
      case tag_and_type(3, kBytes):
        raw_value = field.get_bytes();
        break;
      default:
        field.skip();
    }
  }
  header.value = raw_value.empty() ? value : raw_value;
}

/// Reads one header off the front of a HeaderMap if it has the form in which Envoy writes it: a key
/// and then a raw_value, of one byte of length each. Most have, and this takes a third of the
/// instructions.
bool read_plain_header(std::string_view& map, std::vector<Header>& entries) {
  constexpr char kEntryTag = 0x0a;     // HeaderMap.headers
  constexpr char kKeyTag = 0x0a;       // HeaderValue.key
  constexpr char kRawValueTag = 0x1a;  // HeaderValue.raw_value
  constexpr std::size_t kPrefix = 2;
  constexpr std::size_t kLongest = 0x7f;
  const auto length_at = [&map](std::size_t at) {
    return std::size_t{static_cast<unsigned char>(map[at])};
  };

  if (map.size() < 3 * kPrefix || map[0] != kEntryTag) return false;
  const std::size_t entry_size = length_at(1);
  if (entry_size > kLongest || entry_size > map.size() - kPrefix || map[kPrefix] != kKeyTag)
    return false;
  const std::size_t entry_end = kPrefix + entry_size;
  const std::size_t key_size = length_at(kPrefix + 1);
  const std::size_t value_begin = 2 * kPrefix + key_size + kPrefix;
  if (value_begin > entry_end || map[value_begin - kPrefix] != kRawValueTag) return false;
  if (length_at(value_begin - 1) != entry_end - value_begin) return false;
  entries.push_back(
      {{map.data() + 2 * kPrefix, key_size}, {map.data() + value_begin, entry_end - value_begin}});
  map.remove_prefix(entry_end);
  return true;
}

/// Throws where a HeaderMap has more headers than a message may.
void bound_headers(std::string_view map, std::size_t before) {
  constexpr std::size_t kLeastEntry = 2;
  if (before + map.size() / kLeastEntry <= kMostHeaders) return;
  FieldReader field(map, kHeaderMapDepth);
  for (std::size_t count = before; field.next(1, kBytes); field.skip()) {
    if (++count > kMostHeaders) throw TooManyHeaders();
  }
}

// envoy.config.core.v3.HeaderMap
void read_header_map(std::string_view map, std::vector<Header>& entries) {
  bound_headers(map, entries.size());
  while (!map.empty()) {
    if (read_plain_header(map, entries)) continue;
    FieldReader field(map, kHeaderMapDepth);
    field.next();
    if (field.tag_and_type() == tag_and_type(1, kBytes)) {
      read_header_value(field.get_message(), entries.emplace_back());
    } else {
      field.skip();
    }
    map = field.rest();
  }
}

void read_headers(FieldReader field, RequestMessage& message, std::vector<Header>& entries) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kBytes):
        read_header_map(field.get_bytes(), entries);
        break;
      case tag_and_type(2, kBytes):
        message.has_attributes = true;
        field.skip();
        break;
      case tag_and_type(3, kVarint):
        message.end_of_stream = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

void read_body(FieldReader field, RequestMessage& message) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kBytes):
        message.body = field.get_bytes();
        break;
      case tag_and_type(2, kVarint):
        message.end_of_stream = field.get_bool();
        break;
      case tag_and_type(3, kVarint):
        message.body_flags.end_of_stream_without_message = field.get_bool();
        break;
      case tag_and_type(4, kVarint):
        message.body_flags.grpc_message_compressed = field.get_bool();
        break;
      case tag_and_type(5, kVarint):
        message.body_flags.drain_complete = field.get_bool();
        break;
      default:
        field.skip();
    }
  }
}

void read_trailers(FieldReader field, std::vector<Header>& entries) {
  while (field.next()) {
    if (field.tag_and_type() == tag_and_type(1, kBytes)) {
      read_header_map(field.get_bytes(), entries);
    } else {
      field.skip();
    }
  }
}

// A mode that this version does not know is as good as none.
BodySendMode body_mode(std::int32_t number) {
  return number >= 0 && number <= static_cast<int>(BodySendMode::grpc)
             ? static_cast<BodySendMode>(number)
             : BodySendMode::none;
}

void read_protocol_config(FieldReader field, ProtocolConfiguration& config) {
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

void read_flow_control_init(FieldReader field, FlowControlInit& init) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kVarint):
        init.downstream_to_sidestream = field.get_int64();
        break;
      case tag_and_type(2, kVarint):
        init.sidestream_to_upstream = field.get_int64();
        break;
      case tag_and_type(3, kVarint):
        init.upstream_to_sidestream = field.get_int64();
        break;
      case tag_and_type(4, kVarint):
        init.sidestream_to_downstream = field.get_int64();
        break;
      default:
        field.skip();
    }
  }
}

void read_window_update(FieldReader field, ClientWindowUpdate& update) {
  while (field.next()) {
    switch (field.tag_and_type()) {
      case tag_and_type(1, kVarint):
        update.sidestream_to_upstream = field.get_int64();
        break;
      case tag_and_type(2, kVarint):
        update.sidestream_to_downstream = field.get_int64();
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
  message.body_flags = {};
  entries.clear();
}

void read_message(FieldReader field, RequestMessage& message, std::vector<Header>& entries) {
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
      case tag_and_type(8, kBytes):
        message.metadata_in_parts = message.has_metadata;
        message.has_metadata = true;
        message.metadata = field.get_bytes();
        message.metadata_bytes += message.metadata.size();
        break;
      case tag_and_type(9, kBytes):
        message.has_attributes = true;
        field.skip();
        break;
      case tag_and_type(10, kVarint):
        message.observability_mode = field.get_bool();
        break;
      case tag_and_type(11, kBytes):
        if (!message.protocol_config) message.protocol_config.emplace();
        read_protocol_config(field.get_message(), *message.protocol_config);
        break;
      case tag_and_type(12, kBytes):
        if (!message.flow_control_init) message.flow_control_init.emplace();
        read_flow_control_init(field.get_message(), *message.flow_control_init);
        break;
      case tag_and_type(13, kBytes):
        if (!message.client_window_update) message.client_window_update.emplace();
        read_window_update(field.get_message(), *message.client_window_update);
        break;
      default:
        field.skip();
    }
  }
}

}  // namespace

bool read_request(std::string_view bytes, RequestMessage& message, std::vector<Header>& entries) {
  entries.clear();
  try {
    read_message(FieldReader(bytes), message, entries);
    message.headers = entries;
    return true;
  } catch (const protozero::exception&) {
    // protozero tells broken bytes by throwing; this is the only place that hears it.
    return false;
  }
}

void store_attributes(std::string_view bytes, std::string& out) {
  protozero::pbf_writer writer(out);
  const auto store = [&](FieldReader& entry) {
    const std::string_view stored = entry.get_bytes();
    writer.add_message(host::kStoredAttributes, stored.data(), stored.size());
  };
  // Read once already, so that nothing throws.
  FieldReader message(bytes);
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(9, kBytes):
        store(message);
        break;
      case tag_and_type(2, kBytes):
      case tag_and_type(3, kBytes): {
        // The place that is deprecated: HttpHeaders.attributes.
        FieldReader headers = message.get_message();
        while (headers.next()) {
          headers.tag_and_type() == tag_and_type(2, kBytes) ? store(headers) : headers.skip();
        }
        break;
      }
      default:
        message.skip();
    }
  }
}

void store_metadata(std::string_view bytes, const RequestMessage& message, std::string& out) {
  if (!message.metadata_in_parts) {
    out.assign(message.metadata);
    return;
  }
  // To merge messages is to put their bytes behind each other.
  out.clear();
  FieldReader field(bytes);
  while (field.next(8, kBytes)) out.append(field.get_bytes());
}

}  // namespace extproc::wire
