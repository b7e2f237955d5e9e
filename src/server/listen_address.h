#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace extproc::server {

inline constexpr int kHighestPort = 65'535;
/// Of a Unix domain socket, in bytes.
inline constexpr std::size_t kLongestPath = 107;

/// A port of a host, which is a name or an address without brackets.
struct TcpAddress {
  std::string host;
  int port = 0;
  /// The host was not chosen: `[::]`, or `0.0.0.0` on a machine without IPv6.
  bool any_host = false;

  friend bool operator==(const TcpAddress&, const TcpAddress&) = default;
};

struct UnixAddress {
  std::string path;

  friend bool operator==(const UnixAddress&, const UnixAddress&) = default;
};

using ListenAddress = std::variant<TcpAddress, UnixAddress>;

/// All interfaces, IPv4 and IPv6.
ListenAddress default_address(int port);

/// "host:port", "[v6]:port", "unix:/path", or "port" alone for default_address(). Throws Error,
/// which begins with `setting`, for anything else.
ListenAddress parse_listen_address(std::string_view setting, std::string_view text);

/// Whether an address in use, "127.0.0.1:80" or "[::1]:80", is one of this machine alone.
bool is_loopback(std::string_view address);

/// The same of a host as TcpAddress has it; of names "localhost" alone.
bool is_loopback_host(std::string_view host);

/// Whether one could not listen where the other does, as far as names of hosts tell.
bool overlap(const ListenAddress& one, const ListenAddress& other);

/// As parse_listen_address() takes it.
std::string to_string(const ListenAddress& address);

}  // namespace extproc::server
