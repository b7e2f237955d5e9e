#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <optional>

#include "extproc/error.h"
#include "server/values.h"

namespace extproc::server {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kAuthority = "://";
static_assert(kLongestPath == sizeof(sockaddr_un::sun_path) - 1);

[[noreturn]] void refuse_address(std::string_view setting, std::string_view text,
                                 std::string_view why) {
  throw Error(std::string(setting) + " \"" + std::string(text) + "\": " + std::string(why));
}

/// "1.2.3.4" of "::ffff:1.2.3.4", to which no socket of IPv6 alone can be bound.
std::optional<std::string> mapped_v4(std::string_view host) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, std::string(host).c_str(), &address) != 1 ||
      !IN6_IS_ADDR_V4MAPPED(&address))
    return std::nullopt;
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address.s6_addr[12], text.data(), text.size());
  return text.data();
}

UnixAddress parse_unix(std::string_view setting, std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  if (path.empty()) refuse_address(setting, text, "a path must follow \"unix:\"");
  if (path.size() > kLongestPath) {
    refuse_address(setting, text,
                   "the path has " + std::to_string(path.size()) +
                       " bytes; a socket's path has at most " + std::to_string(kLongestPath));
  }
  if (path.find('\0') != std::string_view::npos) {
    refuse_address(setting, path.substr(0, path.find('\0')), "a zero byte follows");
  }
  return UnixAddress{std::string(path)};
}

}  // namespace

ListenAddress default_address(int port) { return TcpAddress{"::", port, true}; }

ListenAddress parse_listen_address(std::string_view setting, std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix(setting, text);

  if (const auto scheme = text.find(kAuthority); scheme != std::string_view::npos) {
    refuse_address(setting, text,
                   "it is an address, and not a URL: leave out \"" +
                       std::string(text.substr(0, scheme + kAuthority.size())) + "\"");
  }
  const std::size_t colon = text.rfind(':');
  const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!port) {
    refuse_address(
        setting, text,
        "it must be \"host:port\", \"[v6]:port\" or \"unix:/path\", with a port from 0 to 65535");
  }
  if (colon == std::string_view::npos) return default_address(*port);

  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    refuse_address(setting, text, "an IPv6 address goes into brackets, as in \"[::1]:50051\"");
  }
  if (const auto mapped = mapped_v4(host)) {
    refuse_address(setting, text,
                   "it is an IPv4 address, which is written \"" + *mapped + ":" +
                       std::to_string(*port) + "\"");
  }
  if (host.empty()) refuse_address(setting, text, "the host is missing, as in \"127.0.0.1:50051\"");
  return TcpAddress{std::string(host), *port, false};
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("[::1]");
}

bool is_loopback_host(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return text.starts_with("127.");
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return text == "localhost";
}

bool overlap(const ListenAddress& one, const ListenAddress& other) {
  if (one == other) return true;
  const auto* a = std::get_if<TcpAddress>(&one);
  const auto* b = std::get_if<TcpAddress>(&other);
  if (a == nullptr || b == nullptr || a->port != b->port || a->port == 0) return false;
  const auto holds = [](const std::string& host, const std::string& within) {
    if (host == within || within == "::") return true;
    if (within == "0.0.0.0") return host.find(':') == std::string::npos;
    return within == "localhost" && (host == "127.0.0.1" || host == "::1");
  };
  return holds(a->host, b->host) || holds(b->host, a->host);
}

std::string to_string(const ListenAddress& address) {
  if (const auto* local = std::get_if<UnixAddress>(&address)) {
    return std::string(kUnixPrefix) + local->path;
  }
  const auto& tcp = std::get<TcpAddress>(address);
  const bool brackets = tcp.host.find(':') != std::string::npos;
  return (brackets ? "[" + tcp.host + "]" : tcp.host) + ":" + std::to_string(tcp.port);
}

}  // namespace extproc::server
