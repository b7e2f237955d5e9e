#include "wire/response_writer.h"

#include "wire/encoder.h"
#include "wire/header_mutation_writer.h"

namespace extproc::wire {
namespace {

constexpr unsigned kImmediateResponse = 7;  // ProcessingResponse

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

// What a BodyMutation holds, sized before it is written.
struct BodyMutation {
  enum class Kind { none, body, clear, streamed } kind = Kind::none;
  std::string_view body;
  bool end_of_stream = false;

  std::size_t streamed_size() const {
    return optional_field_size(body.size()) + (end_of_stream ? kFlagSize : 0);
  }

  std::size_t size() const {
    switch (kind) {
      case Kind::none:
        return 0;
      case Kind::body:
        return field_size(body.size());
      case Kind::clear:
        return kFlagSize;
      case Kind::streamed:
        return field_size(streamed_size());
    }
    return 0;
  }

  void write(Encoder& encoder) const {
    switch (kind) {
      case Kind::none:
        break;
      case Kind::body:
        encoder.bytes_field(kBody, body);
        break;
      case Kind::clear:
        encoder.varint_field(kClearBody, 1);
        break;
      case Kind::streamed:
        encoder.begin_field(kStreamedResponse, streamed_size());
        encoder.optional_bytes_field(1, body);
        if (end_of_stream) encoder.varint_field(2, 1);
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

  Encoder encoder(out, field_size(answer));
  encoder.begin_field(field_of(phase), answer);
  if (common == 0) return;
  encoder.begin_field(kResponse, common);
  if (continue_and_replace) encoder.varint_field(kStatus, kContinueAndReplace);
  if (headers_size != 0) {
    encoder.begin_field(kHeaderMutation, headers_size);
    write_mutation(encoder, mutation);
  }
  if (has_body) {
    encoder.begin_field(kBodyMutation, body_size);
    body.write(encoder);
  }
  if (clear_route_cache) encoder.varint_field(kClearRouteCache, 1);
}

// The first header of a name overwrites what Envoy's own reply has, the others are added to it.
HeaderMutation immediate_headers(const ImmediateResponse& response) {
  HeaderMutation mutation;
  for (const auto& [name, value] : response.headers) {
    mutation.sets(name) ? mutation.append(name, value) : mutation.set(name, value);
  }
  return mutation;
}

}  // namespace

void write_headers_response(std::string& out, Phase phase, const HeadersResponse& response) {
  BodyMutation body;
  if (response.replacement()) {
    body.kind = BodyMutation::Kind::body;
    body.body = *response.replacement();
  }
  write_common_response(out, phase, response.header_mutation(), body,
                        response.replacement().has_value(), response.clears_route_cache());
}

void write_body_response(std::string& out, Phase phase, const BodyResponse& response) {
  BodyMutation body;
  if (response.body_change() == BodyChange::replace) {
    body.kind = BodyMutation::Kind::body;
    body.body = response.body();
  } else if (response.body_change() == BodyChange::clear) {
    body.kind = BodyMutation::Kind::clear;
  }
  write_common_response(out, phase, response.header_mutation(), body, false,
                        response.clears_route_cache());
}

void write_streamed_body_response(std::string& out, Phase phase, const BodyResponse& response,
                                  std::string_view body, bool end_of_stream) {
  write_common_response(out, phase, response.header_mutation(),
                        {BodyMutation::Kind::streamed, body, end_of_stream}, false,
                        response.clears_route_cache());
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
  const HeaderMutation headers = immediate_headers(response);
  const std::size_t headers_size = mutation_size(headers);
  const std::size_t status_size = 1 + varint_size(static_cast<std::uint64_t>(response.status));
  const std::size_t answer = field_size(status_size) + optional_field_size(headers_size) +
                             optional_field_size(response.body.size()) +
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
  encoder.optional_bytes_field(5, response.details);
}

}  // namespace extproc::wire
