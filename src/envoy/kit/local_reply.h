#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

/// A response that Envoy makes itself.
struct LocalReply {
  int status = 500;
  std::string body{};
  std::string details{};
  /// For callers that speak gRPC; nothing: what the status means there.
  std::optional<std::uint32_t> grpc_status{};
  /// Changes the headers before their last touches; empty: nothing.
  std::function<void(HeaderMap&)> mutate{};
};

/// Its headers and its body, for the request with these headers.
std::pair<HeaderMap, std::string> make_local_reply(const LocalReply& reply,
                                                   const HeaderMap& request);

}  // namespace extproc::testing::envoy
