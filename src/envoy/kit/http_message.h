#pragma once

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

/// What the connection manager sees in headers, whatever a filter makes of them.

/// A request that no filter gets to see.
bool is_refused(const HeaderMap& request);
/// Whether it asks for an upgrade to WebSocket.
bool asks_for_websocket(const HeaderMap& request);
/// Whether a scheme is one of HTTP's.
bool is_scheme(const std::string& text);
/// 0 where there is none.
int status_of(const HeaderMap& response);
/// Whether :status is a number; Envoy takes one that is not for none.
bool has_status(const HeaderMap& response);
/// Whether a response has no body, whatever its content-length says.
bool has_no_body(const HeaderMap& response, const HeaderMap& request);
/// What goes to the caller has no more of these, whoever set them; those of an upgrade are left in
/// the 101 that answers the request for it.
void remove_headers_of_one_hop(HeaderMap& response, const HeaderMap& request);

}  // namespace extproc::testing::envoy
