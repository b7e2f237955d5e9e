#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/peer_certificate.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/service.h"
#include "extproc/struct.h"
#include "extproc/testing.h"

namespace extproc::envoy_config {
struct FilterConfig;
}  // namespace extproc::envoy_config

/// Envoy's ext_proc filter in memory: a filter configuration, a processor and an HTTP exchange go
/// in; what the upstream and the caller would get comes out. Link extproc::testing.
namespace extproc::testing {

/// A filter configuration that Envoy would not take, or that this kit does not know. The text names
/// the field and its line.
class EnvoyConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A request or a response as it is sent, in pieces.
struct HttpMessage {
  /// Names in lower case. What is missing of `:method` (GET), `:path` (/), `:scheme` (http) and
  /// `:authority` (localhost), or of `:status` (200), is added.
  HeaderList headers{};
  /// One DATA frame each, or several for more than the 16 KiB that one holds; none: the message has
  /// no body.
  std::vector<std::string> body{};
  std::optional<HeaderList> trailers{};
  /// How long each piece comes after the one before it, in the exchange's own time: the headers
  /// (the upstream's after it begins to answer), each of the body, the trailers. Where there is
  /// none, Pacing says when.
  std::vector<std::chrono::nanoseconds> after{};
  /// The last piece of a message without trailers is not its end: nobody sends more, and nobody
  /// closes it, as on a connection that stays open.
  bool stays_open = false;
};

/// When the pieces of a message arrive.
enum class Pacing : std::uint8_t {
  /// Each only after Envoy and the processor are done with the piece before.
  one_by_one,
  /// All at once, before the processor can answer the first.
  together,
};

/// One HTTP request, and what the upstream answers.
struct Exchange {
  HttpMessage request{};
  HttpMessage upstream{};
  Pacing request_pacing = Pacing::one_by_one;
  Pacing upstream_pacing = Pacing::one_by_one;
  /// The upstream answers as soon as it has the request's headers, in place of its end. An upgrade
  /// is such a request, written as in HTTP/1: `connection: upgrade`, `upgrade: websocket`, and a
  /// `:status` of 101.
  bool upstream_answers_early = false;
  /// Dynamic metadata that the filters in front have set: namespace, key, value. It is sent as
  /// `metadata_options.forwarding_namespaces.untyped` says.
  std::map<std::string, std::map<std::string, std::string>> dynamic_metadata{};
  /// Values of attributes that the exchange does not tell (`source.address`, ...), by name.
  std::map<std::string, std::string> attributes{};
  /// What the request's route says of the filter (`typed_per_filter_config`): an `ExtProcPerRoute`
  /// each, as YAML or JSON. The most general one comes first, as of a virtual host and then of its
  /// route. Envoy::run() throws EnvoyConfigError where one is wrong.
  std::vector<std::string> per_route{};
};

/// How the connection manager around the filter is set up.
struct EnvoyOptions {
  /// The largest body that BUFFERED and BUFFERED_PARTIAL hold: `per_connection_buffer_limit_bytes`,
  /// or the HTTP/2 stream window where that is what counts. 0: BUFFERED holds any.
  std::size_t buffer_limit_bytes = 1024 * 1024;
  /// `max_headers_count` and `max_request_headers_kb`, of both directions.
  std::size_t max_headers_count = 100;
  std::size_t max_headers_kb = 60;
  /// The gRPC call as the processor sees it; see StreamOptions.
  std::string applied_header = "x-ext-procs-applied";
  HeaderList grpc_metadata{};
  std::string peer = "127.0.0.1:10000";
  /// Context::peer_certificate.
  std::optional<PeerCertificate> peer_certificate{};
};

/// A request as the upstream received it.
struct UpstreamResult {
  /// Whether the request's headers got there.
  bool reached = false;
  HeaderList headers;
  std::string body;
  std::optional<HeaderList> trailers;
  /// The request arrived to its end; else Envoy reset it, or it was still on its way.
  bool complete = false;
};

/// A response as the caller received it.
struct CallerResult {
  /// 0 where no response headers came.
  int status = 0;
  HeaderList headers;
  std::string body;
  std::optional<HeaderList> trailers;
  bool complete = false;
  /// Envoy reset the stream in the middle of the response. Neither complete nor reset: it still
  /// waits, since nobody has anything left to do.
  bool reset = false;
};

/// Something of the processor's answer that Envoy did not do.
struct Refusal {
  /// What the answer was for; nothing where it was for no phase.
  std::optional<Phase> phase;
  /// The rule, in Envoy's own words where it has some: "spurious message",
  /// "header_mutation_set_contains_invalid_character", "mutation_rules", ...
  std::string rule;
  /// The field of the ProcessingResponse that it is about: "header_mutation.set_headers[0]".
  std::string field;
  /// What Envoy did about it, for people.
  std::string text;
};

/// One message of the ext_proc stream.
struct ExtProcMessage {
  /// From Envoy: a serialised ProcessingRequest; else a ProcessingResponse.
  bool from_envoy = false;
  std::string bytes;
};

/// What came of an exchange.
///
/// Left out are headers that Envoy adds on its own account, whatever the filter does: `date`,
/// `server`, `x-forwarded-proto`, `x-request-id`, `x-envoy-expected-rq-timeout-ms`,
/// `x-envoy-upstream-service-time`.
struct EnvoyResult {
  UpstreamResult upstream;
  CallerResult caller;
  /// The counters of `ext_proc.`, without the ones that are 0: "streams_started", ...
  std::map<std::string, std::uint64_t> statistics;
  std::vector<Refusal> refusals;
  /// Envoy's response code details, where it answered the caller itself.
  std::string response_code_details;
  /// The processor had the route chosen again.
  bool route_cache_cleared = false;
  /// The dynamic metadata that Envoy took of the answers, by namespace; of a field that was set
  /// again the later value.
  std::map<std::string, Struct> dynamic_metadata;
  /// The mode overrides that Envoy took, as they were asked for: a body mode that was left out is
  /// NONE.
  std::vector<ModeOverride> mode_overrides;
  std::vector<ExtProcMessage> messages;
  /// The rules of Envoy's that the processor's answers broke, of those that this library knows and
  /// mended or sent as they were. A test of a processor expects none.
  std::vector<Violation> violations;
  /// What the processor needs of its filter (Processor::needs()) and this filter does not have, for
  /// people: "Guard needs message_timeout ...". A test of both expects nothing.
  std::vector<std::string> unmet_needs;
  /// The processor's log lines, as in ProcessResult.
  std::vector<std::string> log;

  /// A counter; 0 where it did not move.
  std::uint64_t statistic(std::string_view name) const;
  /// The first value of a header that the upstream, or the caller, got; null when there is none.
  const std::string* upstream_header(std::string_view name) const;
  const std::string* caller_header(std::string_view name) const;
};

/// Envoy 1.40 with one ext_proc filter:
///
///   extproc::testing::Envoy envoy("processing_mode: {request_body_mode: BUFFERED}");
///   auto result = envoy.run(processor, {.request = {.body = {"hello"}}});
///   EXPECT_EQ(result.caller.status, 200);
///
/// Time is Envoy's own and does not pass while a handler computes: a time-out costs no waiting.
/// Only a handler that waits for something outside of the test (a timer, a thread) is waited for,
/// and the message time-out runs meanwhile.
class Envoy {
 public:
  /// `filter` is YAML or JSON: the `ExternalProcessor` message, its `typed_config`, or the whole
  /// entry of `http_filters`. Throws EnvoyConfigError.
  explicit Envoy(std::string_view filter, EnvoyOptions options = {});
  ~Envoy();
  Envoy(Envoy&&) noexcept;
  Envoy& operator=(Envoy&&) noexcept;

  /// Plays one exchange and returns when it is over and every handler has returned. Can be called
  /// again, from several threads at once. What the processor answers never makes it throw;
  /// Exchange::per_route can.
  EnvoyResult run(const Service& processor, const Exchange& exchange) const;

 private:
  std::unique_ptr<const envoy_config::FilterConfig> config_;
  EnvoyOptions options_;
};

}  // namespace extproc::testing
