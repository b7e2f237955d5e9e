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

void Observer::stream_begin(std::string_view, const Request&) {}
void Observer::stream_end(std::string_view, const Request&, GrpcStatus, bool,
                          std::chrono::nanoseconds) {}
void Observer::phase_begin(std::string_view, const Request&, Phase) {}
void Observer::phase_end(std::string_view, const Request&, Phase, PhaseOutcome,
                         std::chrono::nanoseconds) {}

}  // namespace extproc
