#include <chrono>
#include <string>

#include "envoy/check/check_context.h"

namespace extproc::envoy_config {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kDefaultMessageTimeout = std::chrono::milliseconds(200);

/// What a field says; nothing, and a finding, when it says no duration.
std::optional<nanoseconds> read(const Field& field, Findings& findings) {
  if (!field) return std::nullopt;
  const auto time = duration(field.value);
  if (!time) {
    findings.error(field.value, "not-a-duration",
                   text(field.key) + " is no duration: Envoy refuses the configuration",
                   "write seconds with an s behind them, as in 0.2s");
  }
  return time;
}

void check_message_timeout(const Field& field, const std::optional<nanoseconds>& time,
                           Findings& findings) {
  if (!time || *time > nanoseconds::zero()) return;
  findings.error(field.value, "message-timeout-zero",
                 "every answer is late: Envoy's timer runs out at once",
                 "set message_timeout: 0.2s, or more");
}

}  // namespace

void check_times(const FilterUnderCheck& checked, Findings& findings) {
  const YAML::Node config = checked.filter.config;
  const Field message = field(config, "message_timeout");
  const Field most = field(config, "max_message_timeout");
  const Field stream = field(field(config, "grpc_service").value, "timeout");
  const auto message_time = read(message, findings);
  const auto most_time = read(most, findings);
  const auto stream_time = read(stream, findings);
  const nanoseconds waits = message_time.value_or(kDefaultMessageTimeout);
  check_message_timeout(message, message_time, findings);

  if (most_time && *most_time > nanoseconds::zero() && *most_time < waits) {
    findings.error(most.key, "max-message-timeout-too-short",
                   "a processor that asks for more time can get no more than max_message_timeout, "
                   "which is below message_timeout",
                   "set max_message_timeout above message_timeout, or remove it");
  }
  if (!stream_time) return;
  if (waits > *stream_time) {
    findings.error(message ? message.key : stream.key, "message-timeout-over-grpc-timeout",
                   "message_timeout is longer than the timeout of the whole gRPC stream, so one of "
                   "them is not what it seems",
                   "remove grpc_service.timeout, and let message_timeout alone bound each answer");
  } else {
    findings.warning(
        stream.key, "stream-timeout",
        "the timeout of the grpc_service is that of the whole stream, which lasts as "
        "long as the request and its response; Envoy 1.40 does not apply it to ext_proc",
        "remove it: message_timeout bounds each answer");
  }
}

}  // namespace extproc::envoy_config
