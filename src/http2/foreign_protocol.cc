#include "http2/foreign_protocol.h"

#include <algorithm>
#include <string_view>

#include "http2/frame.h"

namespace extproc::http2 {
namespace {

/// Of the preface, what may have come.
constexpr std::string_view kHttp2 = kPreface.substr(0, 14);
/// A record of TLS: a handshake, of version 3.
constexpr std::string_view kTls = "\x16\x03";
constexpr std::string_view kProxyV1 = "PROXY ";
constexpr std::string_view kProxyV2("\r\n\r\n\0\r\nQUIT\n", 12);

bool is_proxy_header(std::string_view bytes) {
  return bytes.starts_with(kProxyV1) || bytes.starts_with(kProxyV2);
}

bool is_method(char c) { return (c >= 'A' && c <= 'Z') || c == '-'; }

/// A method, a blank and a target.
bool is_request_line(std::string_view bytes) {
  constexpr std::size_t kLongestMethod = 20;
  const auto end = std::ranges::find_if_not(bytes, is_method);
  const auto length = static_cast<std::size_t>(end - bytes.begin());
  if (length < 3 || length > kLongestMethod || end == bytes.end() || *end != ' ') return false;
  const auto line = bytes.substr(length + 1, bytes.find('\n') - length - 1);
  return line.find(" HTTP/1.") != std::string_view::npos || line.starts_with('/') ||
         line.starts_with('*') || line.find("://") != std::string_view::npos;
}

}  // namespace

std::string_view foreign_protocol(std::string_view bytes) {
  if (bytes.starts_with(kTls)) {
    return "a TLS ClientHello came on a port that speaks HTTP/2 in clear text: take the TLS "
           "transport_socket out of the cluster, or serve with TLS (--tls-cert, --tls-key)";
  }
  if (is_proxy_header(bytes)) {
    return "a PROXY protocol header came in place of the HTTP/2 preface: take the proxy_protocol "
           "transport_socket out of the cluster";
  }
  if (is_request_line(bytes)) {
    return "HTTP/1 came on a port that speaks HTTP/2: the cluster needs http2_protocol_options "
           "(explicit_http_config)";
  }
  return "no HTTP/2 connection preface";
}

std::string_view foreign_to_tls(std::string_view bytes) {
  if (bytes.empty() || bytes.front() == kTls.front()) return {};
  if (is_proxy_header(bytes)) {
    return "a PROXY protocol header came before TLS: take the proxy_protocol transport_socket out "
           "of the cluster";
  }
  if (bytes.starts_with(kHttp2)) {
    return "a client came in clear text (HTTP/2) to a port that speaks TLS: give its cluster a "
           "transport_socket (extproc config --tls), or serve without --tls-cert";
  }
  return "a client came in clear text to a port that speaks TLS: give its cluster a "
         "transport_socket (extproc config --tls), or serve without --tls-cert";
}

}  // namespace extproc::http2
