#include "testing/response_reader.h"

#include <string>
#include <utility>

#include "testing/struct_copy.h"

namespace extproc::testing {
namespace {

HeaderMutation to_mutation(const std::optional<envoy::Mutation>& read) {
  HeaderMutation mutation;
  if (!read) return mutation;
  for (const std::string& name : read->remove) mutation.remove(name);
  // As Envoy does: the value is raw_value, and `append` alone says whether it is added.
  for (const auto& option : read->set) {
    option.append ? mutation.append(option.name, option.raw_value)
                  : mutation.set(option.name, option.raw_value);
  }
  return mutation;
}

void take_body(envoy::BodyMutation body, ProcessingResponse& response) {
  using Kind = envoy::BodyMutation::Kind;
  if (body.kind == Kind::clear && body.clear) response.body_change = BodyChange::clear;
  if (body.kind != Kind::body && body.kind != Kind::streamed) return;
  response.body_change = BodyChange::replace;
  response.body = std::move(body.bytes);
}

ImmediateResponse to_immediate(envoy::ImmediateReply reply) {
  ImmediateResponse immediate{
      .status = reply.status, .body = std::move(reply.body), .details = std::move(reply.details)};
  if (reply.grpc_status) immediate.grpc_status = static_cast<GrpcStatus>(*reply.grpc_status);
  if (!reply.headers) return immediate;
  for (auto& option : reply.headers->set)
    immediate.headers.emplace_back(std::move(option.name), std::move(option.raw_value));
  immediate.removed_headers = std::move(reply.headers->remove);
  return immediate;
}

}  // namespace

ProcessingResponse to_response(envoy::Reply reply) {
  using Kind = envoy::Reply::Kind;
  ProcessingResponse response;
  if (reply.kind == Kind::phase) {
    response.phase = reply.phase;
    response.header_mutation = to_mutation(reply.common.headers);
    response.continue_and_replace = reply.common.replace;
    response.clear_route_cache = reply.common.clear_route_cache;
    if (reply.common.body) take_body(std::move(*reply.common.body), response);
  } else if (reply.kind == Kind::immediate) {
    response.header_mutation = to_mutation(reply.immediate.headers);
    response.immediate_response = to_immediate(std::move(reply.immediate));
  }
  ResponseExtras& extras = response.extras;
  if (reply.dynamic_metadata) {
    for (const auto& [name, bytes] : *reply.dynamic_metadata)
      merge(extras.dynamic_metadata.emplace_back(name, Struct()).second, StructView(bytes));
  }
  extras.typed_dynamic_metadata = std::move(reply.typed_dynamic_metadata);
  if (reply.mode_override) extras.mode_override = envoy_config::as_override(*reply.mode_override);
  extras.drain_requests = reply.drain_requests;
  extras.drain_responses = reply.drain_responses;
  return response;
}

ProcessingResponse read_response(std::string_view bytes) {
  return to_response(envoy::read_reply(bytes));
}

}  // namespace extproc::testing
