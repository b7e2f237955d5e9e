#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

namespace extproc {

/// Which traces are recorded, by the names that OpenTelemetry gives them (OTEL_TRACES_SAMPLER).
enum class TraceSampler : std::uint8_t {
  always_on,
  always_off,
  traceidratio,           ///< TraceSettings::ratio of them, whatever the caller does
  parentbased_always_on,  ///< as the caller does, and those that begin here
  parentbased_always_off,
  parentbased_traceidratio,
};

EXTPROC_API std::string_view to_string(TraceSampler sampler);

/// Where spans go, and which; for Settings::tracing. They are sent as OTLP over HTTP (protobuf), by
/// one thread for all servers of a process that have the same of these. docs/traces.md.
struct TraceSettings {
  /// What the environment says, by the names of OpenTelemetry: OTEL_EXPORTER_OTLP_ENDPOINT,
  /// OTEL_TRACES_SAMPLER and so on (docs/traces.md has all that count). Nothing where it names no
  /// endpoint, or says that there are to be no traces (OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER).
  /// Throws Error, with the variable and what it accepts, when a value is wrong. Not while another
  /// thread changes the environment.
  EXTPROC_API static std::optional<TraceSettings> from_environment();

  /// The whole URL that is posted to: "http://host:port/path". OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
  /// or OTEL_EXPORTER_OTLP_ENDPOINT with "/v1/traces" behind it.
  std::string endpoint = "http://localhost:4318/v1/traces";
  /// Sent with each request; for keys of those who take the spans.
  /// OTEL_EXPORTER_OTLP_TRACES_HEADERS, or OTEL_EXPORTER_OTLP_HEADERS.
  std::vector<std::pair<std::string, std::string>> headers{};
  /// `service.name`; empty: "unknown_service:" and the name of the program. OTEL_SERVICE_NAME, or
  /// service.name in OTEL_RESOURCE_ATTRIBUTES.
  std::string service_name{};
  /// What is said of where the spans come from besides. OTEL_RESOURCE_ATTRIBUTES.
  std::vector<std::pair<std::string, std::string>> resource_attributes{};
  /// OTEL_TRACES_SAMPLER.
  TraceSampler sampler = TraceSampler::parentbased_always_on;
  /// From 0 to 1, for samplers that have one. OTEL_TRACES_SAMPLER_ARG.
  double ratio = 1.0;
  /// How long a request may take. OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, or OTEL_EXPORTER_OTLP_TIMEOUT,
  /// in milliseconds.
  std::chrono::milliseconds timeout{10'000};
  /// How long a span waits at most before it is sent. OTEL_BSP_SCHEDULE_DELAY, in milliseconds.
  std::chrono::milliseconds delay{5'000};
  /// How many spans go into one request, about. OTEL_BSP_MAX_EXPORT_BATCH_SIZE.
  std::size_t batch_spans = 512;
  /// What may wait to be sent, those included that are under way, in bytes; what comes above that
  /// is dropped and counted.
  std::size_t queue_bytes = std::size_t{8} << 20;
  /// The same as a number of spans; 0: bytes alone count. OTEL_BSP_MAX_QUEUE_SIZE.
  std::size_t queue_spans = 0;
  /// How long the end of the last server that sends there waits for what has not been sent.
  std::chrono::milliseconds last_send{1'000};

  bool operator==(const TraceSettings&) const = default;
};

}  // namespace extproc
