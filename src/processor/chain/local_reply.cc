#include "processor/chain/local_reply.h"

#include <charconv>
#include <utility>
#include <vector>

#include "base/header_name.h"

namespace extproc::detail {
namespace {

std::string lower(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = lower_case(c);
  return result;
}

/// Envoy's own mapping, for callers that speak gRPC.
GrpcStatus to_grpc(int status) {
  switch (status) {
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

}  // namespace

LocalReply::LocalReply(ImmediateResponse response, bool grpc)
    : response_(std::move(response)),
      status_(std::to_string(grpc ? 200 : response_.status)),
      body_(grpc ? std::string() : response_.body) {
  headers_.set(":status", status_);
  for (const auto& [name, value] : response_.headers) {
    const std::string key = lower(name);
    // As in the answer itself: the first of a name overwrites, the others are added.
    bool first = true;
    for (const auto& [earlier, unused] : response_.headers) {
      if (&earlier == &name) break;
      if (same_name(earlier, name)) first = false;
    }
    if (first) {
      headers_.set(key, value);
      changes_.set(key, value);
    } else {
      headers_.append(key, value);
      changes_.append(key, value);
    }
  }
  for (const auto& name : response_.removed_headers) {
    const std::string key = lower(name);
    if (headers_.get(key)) continue;
    changes_.remove(key);
  }
  if (grpc) {
    const GrpcStatus code = response_.grpc_status.value_or(to_grpc(response_.status));
    headers_.set("content-type", "application/grpc");
    headers_.set("grpc-status", std::to_string(static_cast<int>(code)));
    if (!response_.body.empty()) headers_.set("grpc-message", response_.body);
  } else if (body_.empty()) {
    headers_.remove("content-length");
    headers_.remove("content-type");
  } else {
    headers_.set("content-length", std::to_string(body_.size()));
    if (!headers_.get("content-type")) headers_.set("content-type", "text/plain");
  }
}

ImmediateResponse LocalReply::fold() && {
  int status = response_.status;
  if (const auto code = headers_.get(":status"); code && *code != status_) {
    std::from_chars(code->data(), code->data() + code->size(), status);
  }
  response_.status = status;
  if (body_ != response_.body && headers_.get("grpc-status") == std::nullopt) {
    response_.body = std::move(body_);
  }
  HeaderMutation mutation;
  changes_.write(mutation);
  response_.headers.clear();
  response_.removed_headers.clear();
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    // Envoy writes these two itself.
    if (name == ":status" || name == "content-length") continue;
    if (operation == HeaderMutation::Operation::remove) {
      response_.removed_headers.emplace_back(name);
    } else {
      response_.headers.emplace_back(name, value);
    }
  }
  return std::move(response_);
}

}  // namespace extproc::detail
