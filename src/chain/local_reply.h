#pragma once

#include <string>
#include <string_view>

#include "chain/merged_mutation.h"
#include "chain/message_headers.h"
#include "extproc/immediate_response.h"

namespace extproc::chain {

/// An immediate response as Envoy sends it through the other filters, which may change it.
class LocalReply {
 public:
  /// `grpc`: the caller speaks gRPC, so that Envoy answers in gRPC's form. `head`: it asked with
  /// HEAD, so that the body is only told of.
  LocalReply(ImmediateResponse response, bool grpc, bool head);

  MessageHeaders& headers() { return headers_; }
  MergedMutation& changes() { return changes_; }
  std::string& body() { return body_; }

  /// The immediate response that has the same effect with all changes in it.
  ImmediateResponse fold() &&;

 private:
  ImmediateResponse response_;
  bool head_;
  std::string status_;
  std::string length_;
  std::string grpc_status_;
  std::string body_;
  MessageHeaders headers_;
  MergedMutation changes_;
};

}  // namespace extproc::chain
