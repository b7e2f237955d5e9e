#include <chrono>
#include <string>

#include "envoy/check/check_context.h"
#include "envoy/version.h"

namespace extproc::envoy_config {
namespace {

using std::chrono::nanoseconds;

void check_message_timeout(const Setting<nanoseconds>& time, Findings& findings) {
  if (*time > nanoseconds::zero()) return;
  findings.error(time.place, "message-timeout-zero",
                 "every answer is late: Envoy's timer runs out at once",
                 "set message_timeout: 0.2s, or more");
}

}  // namespace

void check_times(const FilterUnderCheck& checked, Findings& findings) {
  const FilterConfig& config = checked.filter.config;
  const auto& message = config.message_timeout;
  const auto& most = config.max_message_timeout;
  const auto& stream = config.grpc_service->timeout;
  check_message_timeout(message, findings);

  if (*most > nanoseconds::zero() && *most < *message) {
    findings.error(most.key, "max-message-timeout-too-short",
                   "a processor that asks for more time can get no more than max_message_timeout, "
                   "which is below message_timeout",
                   "set max_message_timeout above message_timeout, or remove it");
  }
  if (!*stream) return;
  if (*message > **stream) {
    findings.error(message.is_stated() ? message.key : stream.key,
                   "message-timeout-over-grpc-timeout",
                   "message_timeout is longer than the timeout of the whole gRPC stream, so one of "
                   "them is not what it seems",
                   "remove grpc_service.timeout, and let message_timeout alone bound each answer");
  } else {
    findings.warning(stream.key, "stream-timeout",
                     "the timeout of the grpc_service is that of the whole stream, which lasts as "
                     "long as the request and its response; " +
                         versioned_envoy() + " does not apply it to ext_proc",
                     "remove it: message_timeout bounds each answer");
  }
}

}  // namespace extproc::envoy_config
