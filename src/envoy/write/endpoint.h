#pragma once

#include <string>
#include <string_view>

#include "server/listen_address.h"

namespace extproc::envoy_config {

class YamlWriter;

using Endpoint = server::ListenAddress;

/// What is behind Envoy.
struct Upstream {
  server::TcpAddress address{"127.0.0.1", 3000};
  bool tls = false;
};

/// "http://host[:port]" or "https://host[:port]"; throws Error, which begins with `flag`.
Upstream parse_upstream(std::string_view flag, std::string_view url);

/// An address to connect to, "host:port", "[v6]:port" or "unix:/path"; throws Error.
Endpoint parse_endpoint(std::string_view flag, std::string_view text);

/// An address to listen on: an IP address and a port, which may be 0, a port alone for the
/// loopback, or "unix:/path"; throws Error.
Endpoint parse_listener(std::string_view flag, std::string_view text);

bool is_ip(const std::string& host);
/// An address of one machine needs no look-up.
bool needs_dns(const Endpoint& endpoint);

/// `config.core.v3.Address` as the field `address`.
void write_address(YamlWriter& out, const Endpoint& endpoint);

}  // namespace extproc::envoy_config
