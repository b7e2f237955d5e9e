#include "wire/response_writer.h"

#include <protozero/pbf_writer.hpp>

#include "rules/reply_rules.h"
#include "wire/encoder.h"
#include "wire/header_mutation_writer.h"

namespace extproc::wire {
namespace {

// ProcessingResponse
constexpr unsigned kImmediateResponse = 7;
constexpr unsigned kStreamedImmediateResponse = 11;

// HeadersResponse and BodyResponse
constexpr unsigned kResponse = 1;

// CommonResponse
constexpr unsigned kStatus = 1;
constexpr unsigned kHeaderMutation = 2;
constexpr unsigned kBodyMutation = 3;
constexpr unsigned kClearRouteCache = 5;
constexpr std::uint64_t kContinueAndReplace = 1;

// BodyMutation
constexpr unsigned kBody = 1;
constexpr unsigned kClearBody = 2;
constexpr unsigned kStreamedResponse = 3;

constexpr std::size_t kFlagSize = 2;

// The field of ProcessingResponse that answers the phase.
unsigned field_of(Phase phase) {
  switch (phase) {
    case Phase::request_headers:
      return 1;
    case Phase::response_headers:
      return 2;
    case Phase::request_body:
      return 3;
    case Phase::response_body:
      return 4;
    case Phase::request_trailers:
      return 5;
    case Phase::response_trailers:
      return 6;
  }
  return 0;
}

// StreamedBodyResponse
std::size_t streamed_size(const HttpBody& body) {
  const std::size_t flags =
      (body.end_of_stream() ? 1 : 0) + (body.end_of_stream_without_message() ? 1 : 0) +
      (body.grpc_message_compressed() ? 1 : 0) + (body.drain_complete() ? 1 : 0);
  return optional_field_size(body.bytes().size()) + flags * kFlagSize;
}

void write_streamed(Encoder& encoder, const HttpBody& body) {
  if (!body.bytes().empty()) encoder.body_field(1, body.bytes());
  if (body.end_of_stream()) encoder.varint_field(2, 1);
  if (body.end_of_stream_without_message()) encoder.varint_field(3, 1);
  if (body.grpc_message_compressed()) encoder.varint_field(4, 1);
  if (body.drain_complete()) encoder.varint_field(5, 1);
}

// What a BodyMutation holds, sized before it is written.
struct BodyMutation {
  enum class Kind { none, body, clear, streamed } kind = Kind::none;
  std::string_view body;
  HttpBody streamed{};
  bool follows = false;  // the body's bytes are not written here

  std::size_t size() const {
    switch (kind) {
      case Kind::none:
        return 0;
      case Kind::body:
        return field_size(body.size());
      case Kind::clear:
        return kFlagSize;
      case Kind::streamed:
        return field_size(streamed_size(streamed));
    }
    return 0;
  }

  std::size_t body_bytes() const {
    return kind == Kind::streamed ? streamed.bytes().size() : body.size();
  }

  void write(Encoder& encoder) const {
    switch (kind) {
      case Kind::none:
        break;
      case Kind::body:
        if (follows) {
          encoder.begin_field(kBody, body.size());
        } else {
          encoder.body_field(kBody, body);
        }
        break;
      case Kind::clear:
        encoder.varint_field(kClearBody, 1);
        break;
      case Kind::streamed:
        encoder.begin_field(kStreamedResponse, streamed_size(streamed));
        write_streamed(encoder, streamed);
        break;
    }
  }
};

// HeadersResponse and BodyResponse hold the same CommonResponse.
void write_common_response(std::string& out, Phase phase, const HeaderMutation& mutation,
                           const BodyMutation& body, bool continue_and_replace,
                           bool clear_route_cache) {
  const std::size_t headers_size = mutation_size(mutation);
  const std::size_t body_size = body.size();
  const bool has_body = body.kind != BodyMutation::Kind::none;
  const std::size_t common =
      (continue_and_replace ? kFlagSize : 0) + optional_field_size(headers_size) +
      (has_body ? field_size(body_size) : 0) + (clear_route_cache ? kFlagSize : 0);
  const std::size_t answer = optional_field_size(common);

  const std::size_t here = field_size(answer) - (body.follows ? body.body_bytes() : 0);
  Encoder encoder(out, here, body.follows ? 0 : body.body_bytes());
  encoder.begin_field(field_of(phase), answer);
  if (common == 0) return;
  encoder.begin_field(kResponse, common);
  if (continue_and_replace) encoder.varint_field(kStatus, kContinueAndReplace);
  if (headers_size != 0) {
    encoder.begin_field(kHeaderMutation, headers_size);
    write_mutation(encoder, mutation);
  }
  if (clear_route_cache) encoder.varint_field(kClearRouteCache, 1);
  // Last, so that the body may follow.
  if (has_body) {
    encoder.begin_field(kBodyMutation, body_size);
    body.write(encoder);
  }
}

// envoy.config.core.v3.HeaderMap
std::size_t header_map_size(std::span<const Header> headers) {
  std::size_t size = 0;
  for (const auto& [name, value] : headers) {
    size += field_size(field_size(name.size()) + optional_field_size(value.size()));
  }
  return size;
}

void write_header_map(Encoder& encoder, std::span<const Header> headers) {
  for (const auto& [name, value] : headers) {
    encoder.begin_field(1, field_size(name.size()) + optional_field_size(value.size()));
    encoder.bytes_field(1, name);
    encoder.optional_bytes_field(3, value);
  }
}

// google.protobuf.Struct with one field, as an entry of `dynamic_metadata`.
void write_dynamic_metadata(protozero::pbf_writer& message, const ResponseExtras& extras) {
  protozero::pbf_writer all(message, 8);
  for (const auto& [name, value] : extras.dynamic_metadata) {
    protozero::pbf_writer entry(all, 1);
    entry.add_string(1, name);
    protozero::pbf_writer field(entry, 2);
    field.add_message(5, value.bytes().data(), value.bytes().size());
  }
}

void write_typed_metadata(protozero::pbf_writer& message, const ResponseExtras::Typed& typed) {
  protozero::pbf_writer entry(message, 13);
  entry.add_string(1, typed.name);
  protozero::pbf_writer any(entry, 2);
  any.add_string(1, typed.type_url);
  any.add_bytes(2, typed.value);
}

void write_mode_override(protozero::pbf_writer& message, const ModeOverride& mode) {
  protozero::pbf_writer field(message, 9);
  const auto add = [&](unsigned number, const auto& value) {
    if (value) field.add_enum(number, static_cast<std::int32_t>(*value));
  };
  add(1, mode.request_header_mode);
  add(2, mode.response_header_mode);
  add(3, mode.request_body_mode);
  add(4, mode.response_body_mode);
  add(5, mode.request_trailer_mode);
  add(6, mode.response_trailer_mode);
}

}  // namespace

void write_headers_response(std::string& out, Phase phase, const HeadersResponse& response) {
  BodyMutation body;
  if (response.replacement()) {
    body.kind = BodyMutation::Kind::body;
    body.body = *response.replacement();
  }
  write_common_response(out, phase, response.header_mutation(), body,
                        response.replacement().has_value(), response.is_route_cache_cleared());
}

namespace {

void write_body_response(std::string& out, Phase phase, const BodyResponse& response,
                         bool body_follows) {
  BodyMutation body;
  body.follows = body_follows;
  if (response.body_change() == BodyChange::replace) {
    body.kind = BodyMutation::Kind::body;
    body.body = response.body();
  } else if (response.body_change() == BodyChange::clear) {
    body.kind = BodyMutation::Kind::clear;
  }
  write_common_response(out, phase, response.header_mutation(), body, false,
                        response.is_route_cache_cleared());
}

}  // namespace

void write_body_response(std::string& out, Phase phase, const BodyResponse& response) {
  write_body_response(out, phase, response, false);
}

void write_body_response_head(std::string& out, Phase phase, const BodyResponse& response) {
  write_body_response(out, phase, response, true);
}

void write_streamed_body_response(std::string& out, Phase phase, const HttpBody& body,
                                  const HeaderMutation& mutation, bool clear_route_cache) {
  write_common_response(out, phase, mutation, {BodyMutation::Kind::streamed, {}, body, false},
                        false, clear_route_cache);
}

void write_trailers_response(std::string& out, Phase phase, const TrailersResponse& response) {
  const std::size_t headers_size = mutation_size(response.header_mutation());
  const std::size_t answer = optional_field_size(headers_size);
  Encoder encoder(out, field_size(answer));
  encoder.begin_field(field_of(phase), answer);
  if (headers_size == 0) return;
  encoder.begin_field(1, headers_size);
  write_mutation(encoder, response.header_mutation());
}

void write_immediate_response(std::string& out, const ImmediateResponse& response) {
  const HeaderMutation headers = rules::immediate_headers(response);
  const std::size_t headers_size = mutation_size(headers);
  const std::size_t status_size = 1 + varint_size(static_cast<std::uint64_t>(response.status));
  // OK is left out.
  const auto grpc_status =
      static_cast<std::uint64_t>(response.grpc_status.value_or(GrpcStatus::ok));
  const std::size_t grpc_size = grpc_status == 0 ? 0 : 1 + varint_size(grpc_status);
  const std::size_t answer = field_size(status_size) + optional_field_size(headers_size) +
                             optional_field_size(response.body.size()) +
                             (response.grpc_status ? field_size(grpc_size) : 0) +
                             optional_field_size(response.details.size());

  Encoder encoder(out, field_size(answer));
  encoder.begin_field(kImmediateResponse, answer);
  encoder.begin_field(1, status_size);
  encoder.varint_field(1, static_cast<std::uint64_t>(response.status));
  if (headers_size != 0) {
    encoder.begin_field(2, headers_size);
    write_mutation(encoder, headers);
  }
  encoder.optional_bytes_field(3, response.body);
  if (response.grpc_status) {
    encoder.begin_field(4, grpc_size);
    if (grpc_size != 0) encoder.varint_field(1, grpc_status);
  }
  encoder.optional_bytes_field(5, response.details);
}

void write_streamed_head(std::string& out, std::span<const Header> headers) {
  const std::size_t map = header_map_size(headers);
  const std::size_t http_headers = field_size(map);
  const std::size_t answer = field_size(http_headers);
  Encoder encoder(out, field_size(answer));
  encoder.begin_field(kStreamedImmediateResponse, answer);
  encoder.begin_field(1, http_headers);
  encoder.begin_field(1, map);
  write_header_map(encoder, headers);
}

void write_streamed_chunk(std::string& out, std::string_view chunk, bool end_of_stream) {
  const HttpBody body(chunk, end_of_stream);
  const std::size_t answer = field_size(streamed_size(body));
  Encoder encoder(out, field_size(answer), chunk.size());
  encoder.begin_field(kStreamedImmediateResponse, answer);
  encoder.begin_field(2, streamed_size(body));
  write_streamed(encoder, body);
}

void write_streamed_trailers(std::string& out, std::span<const Header> trailers) {
  const std::size_t map = header_map_size(trailers);
  const std::size_t answer = field_size(map);
  Encoder encoder(out, field_size(answer));
  encoder.begin_field(kStreamedImmediateResponse, answer);
  encoder.begin_field(3, map);
  write_header_map(encoder, trailers);
}

void write_extras(std::string& out, const ResponseExtras& extras) {
  protozero::pbf_writer message(out);
  if (!extras.dynamic_metadata.empty()) write_dynamic_metadata(message, extras);
  for (const auto& typed : extras.typed_dynamic_metadata) write_typed_metadata(message, typed);
  if (extras.mode_override) write_mode_override(message, *extras.mode_override);
  // The two were one at first; clients of that time read only this.
  if (extras.drain_requests && extras.drain_responses) message.add_bool(12, true);
  if (extras.drain_requests) message.add_bool(15, true);
  if (extras.drain_responses) message.add_bool(16, true);
}

void write_message_timeout(std::string& out, std::chrono::milliseconds timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const std::chrono::nanoseconds rest = timeout - seconds;
  protozero::pbf_writer message(out);
  protozero::pbf_writer duration(message, 10);
  duration.add_int64(1, seconds.count());
  duration.add_int32(2, static_cast<std::int32_t>(rest.count()));
}

void write_window_update(std::string& out, std::int64_t downstream_to_sidestream,
                         std::int64_t upstream_to_sidestream) {
  protozero::pbf_writer message(out);
  protozero::pbf_writer update(message, 14);
  if (downstream_to_sidestream != 0) update.add_int64(1, downstream_to_sidestream);
  if (upstream_to_sidestream != 0) update.add_int64(2, upstream_to_sidestream);
}

}  // namespace extproc::wire
