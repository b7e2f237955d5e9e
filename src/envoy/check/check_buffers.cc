#include <algorithm>
#include <string>
#include <vector>

#include "envoy/check/check_context.h"

namespace extproc::envoy_config {
namespace {

/// Whether a body of the direction gets to the processor in one message, by the filter or a route.
bool is_whole(const FilterUnderCheck& checked, const Manager& manager, Phase body) {
  const auto holds = [&](const ProcessingMode& mode) { return is_held(mode.body(body)); };
  return holds(checked.mode) || std::ranges::any_of(manager.routes, [&](const Route& route) {
           return holds(route.mode_of(checked.filter.name, checked.filter.config));
         });
}

void check_messages(const FilterUnderCheck& checked, const Manager& manager,
                    std::size_t message_bytes, Findings& findings) {
  const bool request = is_whole(checked, manager, Phase::request_body);
  const bool response = is_whole(checked, manager, Phase::response_body);
  std::vector<BufferLimit> limits = manager.buffers;
  limits.insert(limits.end(), checked.filter.buffers.begin(), checked.filter.buffers.end());
  for (const Route& route : manager.routes)
    limits.insert(limits.end(), route.request_buffers.begin(), route.request_buffers.end());
  for (const BufferLimit& limit : limits) {
    if (limit.bytes < message_bytes || !(request || (response && !limit.of_requests))) continue;
    findings.warning(
        limit.place, "message-limit",
        limit.field + " lets Envoy hold bodies of " + std::to_string(limit.bytes) + " bytes for " +
            checked.name + ", and the server ends a stream with a message of over " +
            std::to_string(message_bytes) + ": the request fails",
        "lower it, or serve with a --message-bytes above it (Limits::message_bytes), and say the "
        "same here");
  }
}

void check_decompressors(const FilterUnderCheck& checked, const Manager& manager,
                         Findings& findings) {
  const bool sends = checked.mode.sends(Phase::response_body) ||
                     std::ranges::any_of(manager.routes, [&](const Route& route) {
                       return route.mode_of(checked.filter.name, checked.filter.config)
                           .sends(Phase::response_body);
                     });
  if (!sends) return;
  for (const Place& place : checked.filter.decompressors) {
    findings.error(place, "decompressor-behind",
                   "a response that this decompressor has unpacked never ends where " +
                       checked.name + ", which stands before it, sends response_body",
                   "put the decompressor before " + checked.name +
                       ", or remove accept-encoding in request_headers");
  }
}

}  // namespace

void check_buffers(const FilterUnderCheck& checked, const Manager& manager,
                   std::size_t message_bytes, Findings& findings) {
  check_messages(checked, manager, message_bytes, findings);
  check_decompressors(checked, manager, findings);
}

}  // namespace extproc::envoy_config
