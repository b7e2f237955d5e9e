#include "chain/local_reply.h"

#include <charconv>
#include <utility>

#include "rules/reply_rules.h"

namespace extproc::chain {

LocalReply::LocalReply(ImmediateResponse response, bool grpc, bool head)
    : response_(std::move(response)),
      head_(head),
      status_(std::to_string(grpc ? 200 : response_.status)),
      body_(grpc || head ? std::string() : response_.body) {
  headers_.set(":status", status_);
  const HeaderMutation asked = rules::immediate_headers(response_);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const HeaderMutation::Entry change = asked.at(i);
    if (change.operation != HeaderMutation::Operation::remove) {
      headers_.take(change);
    } else if (headers_.get(change.name)) {
      continue;  // what the same answer sets stays
    }
    changes_.take(change);
  }
  if (grpc) {
    const GrpcStatus code = response_.grpc_status.value_or(rules::grpc_status_of(response_.status));
    headers_.set("content-type", "application/grpc");
    headers_.set("grpc-status", std::to_string(static_cast<int>(code)));
    if (!response_.body.empty()) headers_.set("grpc-message", response_.body);
  } else if (response_.body.empty()) {
    headers_.remove("content-length");
    headers_.remove("content-type");
  } else {
    headers_.set("content-length", std::to_string(response_.body.size()));
    if (!headers_.get("content-type")) headers_.set("content-type", "text/plain");
  }
}

ImmediateResponse LocalReply::fold() && {
  int status = response_.status;
  if (const auto code = headers_.get(":status"); code && *code != status_) {
    std::from_chars(code->data(), code->data() + code->size(), status);
  }
  response_.status = status;
  if (!head_ && body_ != response_.body && headers_.get("grpc-status") == std::nullopt) {
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

}  // namespace extproc::chain
