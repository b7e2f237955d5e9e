#include "envoy/write/endpoint.h"

#include <arpa/inet.h>

#include "envoy/write/yaml_writer.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr int kHttpPort = 80;
constexpr int kHttpsPort = 443;

}  // namespace

Upstream parse_upstream(std::string_view flag, std::string_view url) {
  const auto refuse = [&](std::string_view why) -> Error {
    return Error(std::string(flag) + " \"" + std::string(url) + "\": " + std::string(why) +
                 ", as in http://127.0.0.1:3000");
  };
  Upstream upstream;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    upstream.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    throw refuse("it must begin with http:// or https://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@") != std::string_view::npos) {
    throw refuse("only a host and a port can be given");
  }
  std::string authority(rest);
  const bool has_port = rest.find(':', rest.rfind(']') + 1) != std::string_view::npos;
  if (!has_port) authority += ":" + std::to_string(upstream.tls ? kHttpsPort : kHttpPort);
  const Endpoint endpoint = server::parse_listen_address(flag, authority);
  const auto* tcp = std::get_if<server::TcpAddress>(&endpoint);
  if (tcp == nullptr || tcp->any_host || tcp->port == 0) {
    throw refuse("a host and a port from 1 to 65535 must follow");
  }
  upstream.address = *tcp;
  return upstream;
}

Endpoint parse_endpoint(std::string_view flag, std::string_view text) {
  Endpoint endpoint = server::parse_listen_address(flag, text);
  const auto* tcp = std::get_if<server::TcpAddress>(&endpoint);
  if (tcp != nullptr && (tcp->any_host || tcp->port == 0)) {
    throw Error(std::string(flag) + " \"" + std::string(text) +
                "\": it must say where to connect to, \"host:port\", \"[v6]:port\" or "
                "\"unix:/path\", with a port from 1 to 65535");
  }
  return endpoint;
}

Endpoint parse_listener(std::string_view flag, std::string_view text) {
  Endpoint endpoint = server::parse_listen_address(flag, text);
  if (auto* tcp = std::get_if<server::TcpAddress>(&endpoint)) {
    if (tcp->any_host || tcp->host == "localhost") *tcp = {kLoopback, tcp->port, false};
    if (!is_ip(tcp->host)) {
      throw Error(std::string(flag) + " \"" + std::string(text) +
                  "\": Envoy listens on IP addresses only, as in 127.0.0.1:8080");
    }
  }
  return endpoint;
}

bool is_ip(const std::string& host) {
  in6_addr buffer{};
  return ::inet_pton(AF_INET, host.c_str(), &buffer) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &buffer) == 1;
}

bool needs_dns(const Endpoint& endpoint) {
  const auto* tcp = std::get_if<server::TcpAddress>(&endpoint);
  return tcp != nullptr && !is_ip(tcp->host);
}

void write_address(YamlWriter& out, const Endpoint& endpoint) {
  if (const auto* local = std::get_if<server::UnixAddress>(&endpoint)) {
    out.line("address: { pipe: { path: " + scalar(local->path) + " } }");
    return;
  }
  const auto& tcp = std::get<server::TcpAddress>(endpoint);
  out.line("address: { socket_address: { address: " + scalar(tcp.host) +
           ", port_value: " + std::to_string(tcp.port) + " } }");
}

}  // namespace extproc::envoy_config
