#include "rules/reply_rules.h"

namespace extproc::rules {

HeaderMutation immediate_headers(const ImmediateResponse& response) {
  HeaderMutation mutation;
  for (const auto& [name, value] : response.headers) {
    mutation.sets(name) ? mutation.append(name, value) : mutation.set(name, value);
  }
  for (const auto& name : response.removed_headers) mutation.remove(name);
  return mutation;
}

void check_immediate(ImmediateResponse& response, const FilterSettings& filter,
                     ViolationListener& listener) {
  if (response.status < kLeastStatus || response.status > kMostStatus) {
    listener.on_violation(Rule::status_invalid, ":status");
    response.status = 500;
  }
  check_mutation(immediate_headers(response), false, filter, listener);
}

}  // namespace extproc::rules
