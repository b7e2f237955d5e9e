#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/header_mutation.h"
#include "extproc/immediate_response.h"
#include "extproc/peer_certificate.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "extproc/rule.h"
#include "extproc/service.h"
#include "extproc/settings.h"
#include "extproc/status.h"

/// The test kit: runs a processor of any style as Envoy would, without Envoy, sockets or threads to
/// manage. Link extproc::testing. What is sent and answered goes through the library's real codec
/// and stream, so that a test sees the bytes that Envoy would.
namespace extproc::testing {

/// Header names and values, in order; a repeated header is a repeated entry.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// Headers for a request or response phase.
struct EnvoyHeaders {
  HeaderList entries;
};
EnvoyHeaders envoy_headers(HeaderList entries);
/// The same from a map, or any other range of pairs.
template <class Range>
EnvoyHeaders envoy_headers(const Range& entries) {
  return {HeaderList(std::begin(entries), std::end(entries))};
}

/// A body for a body phase, sent as one message (BUFFERED) or, when made from several chunks, as
/// one message each (STREAMED).
struct EnvoyBody {
  std::vector<std::string> chunks;
};
EnvoyBody envoy_body(std::string_view body);
EnvoyBody envoy_body(std::span<const std::byte> body);
EnvoyBody envoy_body(std::vector<std::string> chunks);

/// What Envoy got as the answer to one message: a `ProcessingResponse`.
struct ProcessingResponse {
  /// The phase that it answers; nothing for an immediate response.
  std::optional<Phase> phase;
  HeaderMutation header_mutation;
  BodyChange body_change = BodyChange::none;
  std::string body;
  bool clear_route_cache = false;
  /// CONTINUE_AND_REPLACE.
  bool continue_and_replace = false;
  /// Its header changes are in header_mutation too.
  std::optional<ImmediateResponse> immediate_response;
  /// What it carries besides: dynamic metadata, a mode override (in which a body mode that was left
  /// out is NONE, as Envoy takes it), the wish for no more of a body.
  ResponseExtras extras;
};

/// A response that was written piece by piece: HeadersResponse::respond_streaming.
struct StreamedResult {
  /// With ":status".
  HeaderList headers;
  std::vector<std::string> chunks;
  std::optional<HeaderList> trailers;
  bool complete = false;
};

/// The headers that an answer sets, by name; the values of a header that is set and appended to are
/// joined with ",". The name is the Python SDK's.
std::map<std::string, std::string> envoy_set_headers_to_dict(const ProcessingResponse& response);
/// The headers that an answer removes, in order.
std::vector<std::string> envoy_removed_headers(const ProcessingResponse& response);

/// What is sent: only the phases that are set, in Envoy's order. Whether headers or a body end
/// their direction follows from what comes after them.
struct Phases {
  std::optional<EnvoyHeaders> request_headers{};
  std::optional<EnvoyBody> request_body{};
  std::optional<HeaderList> request_trailers{};
  std::optional<EnvoyHeaders> response_headers{};
  std::optional<EnvoyBody> response_body{};
  std::optional<HeaderList> response_trailers{};
};

/// How the stream around the phases looks.
struct StreamOptions {
  /// The header that the processor adds its name to; empty: none.
  std::string applied_header = "x-ext-procs-applied";
  bool observability_mode = false;
  /// The metadata of the gRPC call: Context::metadata.
  HeaderList metadata{};
  std::string peer = "127.0.0.1:10000";
  /// Context::peer_certificate.
  std::optional<PeerCertificate> peer_certificate{};
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  /// What the processor is told of the filter: Settings::filter.
  FilterSettings filter{};
  /// The peer resets the stream once this many messages were sent, while the last one's handler may
  /// still run.
  std::optional<std::size_t> reset_after{};
};

/// What came of it.
struct ProcessResult {
  /// One for each message, in order, up to an immediate response or an error.
  std::vector<ProcessingResponse> responses;
  /// The response that was written piece by piece; nothing follows it.
  std::optional<StreamedResult> streamed_response{};
  /// The times that Envoy was asked for, each time that a handler needed more.
  std::vector<std::chrono::nanoseconds> time_extensions{};
  /// How the processor's side ended the stream: OK, or the error of a handler that threw or
  /// aborted.
  GrpcStatus status = GrpcStatus::ok;
  std::string status_message;
  /// The rules of Envoy's that answers broke. A test of a processor expects none.
  std::vector<Violation> violations{};
  /// The log lines of the stream, without times: "error: ...".
  std::vector<std::string> log;

  auto begin() const { return responses.begin(); }
  auto end() const { return responses.end(); }
  /// The answer to a phase, the last one where it had several; null when there was none.
  const ProcessingResponse* find(Phase phase) const;
  /// The immediate response; null when there was none.
  const ImmediateResponse* immediate_response() const;
};

/// Plays Envoy's part of one stream, under the Python SDK's name for it:
///
///   AsEnvoyExtProc envoy({.request_headers = envoy_headers({{":method", "GET"}, {":path",
///   "/"}})}); for (const auto& response : envoy.process(processor)) { … }
class AsEnvoyExtProc {
 public:
  explicit AsEnvoyExtProc(Phases phases, StreamOptions options = {})
      : phases_(std::move(phases)), options_(std::move(options)) {}

  /// Sends the phases to `processor`, waiting for each answer as Envoy does, and returns when the
  /// stream is over and every handler has returned. Can be called again.
  ProcessResult process(const Service& processor) const;

 private:
  Phases phases_;
  StreamOptions options_;
};

}  // namespace extproc::testing
