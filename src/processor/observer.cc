#include "extproc/observer.h"

namespace extproc {

std::string_view to_string(PhaseOutcome outcome) {
  switch (outcome) {
    case PhaseOutcome::answered:
      return "answered";
    case PhaseOutcome::immediate:
      return "immediate";
    case PhaseOutcome::aborted:
      return "aborted";
    case PhaseOutcome::failed:
      return "failed";
    case PhaseOutcome::cancelled:
      return "cancelled";
    case PhaseOutcome::late:
      return "late";
  }
  return "unknown";
}

void Observer::stream_begin(std::string_view processor, const Context&, const Request& request) {
  stream_begin(processor, request);
}
void Observer::stream_end(std::string_view processor, const Context&, const Request& request,
                          GrpcStatus status, bool cancelled, std::chrono::nanoseconds duration) {
  stream_end(processor, request, status, cancelled, duration);
}
void Observer::phase_begin(std::string_view processor, const Context&, const Request& request,
                           Phase phase) {
  phase_begin(processor, request, phase);
}
void Observer::phase_end(std::string_view processor, const Context&, const Request& request,
                         Phase phase, PhaseOutcome outcome, std::chrono::nanoseconds duration) {
  phase_end(processor, request, phase, outcome, duration);
}

void Observer::stream_begin(std::string_view, const Request&) {}
void Observer::stream_end(std::string_view, const Request&, GrpcStatus, bool,
                          std::chrono::nanoseconds) {}
void Observer::phase_begin(std::string_view, const Request&, Phase) {}
void Observer::phase_end(std::string_view, const Request&, Phase, PhaseOutcome,
                         std::chrono::nanoseconds) {}

}  // namespace extproc
