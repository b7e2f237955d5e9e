#include "extproc/rule.h"

namespace extproc {

std::string_view to_string(Rule rule) {
  constexpr std::string_view kNames[kRuleCount] = {
      "header_not_removable", "header_not_appendable", "header_denied",
      "header_invalid",       "too_many_mutations",    "status_invalid",
      "body_header_mutation", "clear_route_cache",     "mode_override",
      "streamed_response",    "immediate_too_late",    "body_written_too_late",
      "answered_too_late"};
  return kNames[static_cast<std::size_t>(rule)];
}

}  // namespace extproc
