#pragma once

#include <functional>
#include <string>
#include <utility>

#include "envoy/kit/filter.h"
#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

/// The headers and the body of a response that Envoy makes itself, for the request with these
/// headers; `mutate` changes the headers before their last touches.
std::pair<HeaderMap, std::string> make_local_reply(const LocalReply& reply,
                                                   const HeaderMap& request,
                                                   const std::function<void(HeaderMap&)>& mutate);

}  // namespace extproc::testing::envoy
