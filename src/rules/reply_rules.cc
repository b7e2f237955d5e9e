#include "rules/reply_rules.h"

#include <string>
#include <string_view>
#include <vector>

#include "rules/framing_rules.h"

namespace extproc::rules {

GrpcStatus grpc_status_of(int http_status) {
  switch (http_status) {
    case 400:
      return GrpcStatus::internal;
    case 401:
      return GrpcStatus::unauthenticated;
    case 403:
      return GrpcStatus::permission_denied;
    case 404:
      return GrpcStatus::unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus::unavailable;
    default:
      return GrpcStatus::unknown;
  }
}

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
  if (!response.body.empty() && content_of({}, response.status) == Content::nothing) {
    listener.on_violation(Rule::body_not_allowed, "body");
    response.body.clear();
  }
  check_mutation(immediate_headers(response), false, filter, listener);
}

void leave_out_refused(ImmediateResponse& response, const FilterSettings& filter) {
  const auto refused = [&](Operation operation, std::string_view name, std::string_view value) {
    HeaderMutation alone;
    alone.add({operation, name, value});
    leave_out_refused(alone, false, filter);
    return alone.empty();
  };
  std::erase_if(response.headers, [&](const auto& header) {
    return refused(Operation::set, header.first, header.second);
  });
  std::erase_if(response.removed_headers,
                [&](const std::string& name) { return refused(Operation::remove, name, {}); });
}

}  // namespace extproc::rules
