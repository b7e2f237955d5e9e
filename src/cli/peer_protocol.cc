#include "cli/peer_protocol.h"

#include <algorithm>
#include <cstddef>

namespace extproc::cli {
namespace {

constexpr std::size_t kFrameHeaderBytes = 9;
constexpr char kSettingsFrame = 4;
constexpr std::string_view kHttp1 = "HTTP/";
/// Records of TLS: an alert, and a handshake.
constexpr std::string_view kAlert = "\x15\x03";
constexpr std::string_view kHandshake = "\x16\x03";

/// Whether a server's HTTP/2 may begin so: with SETTINGS, no acknowledgement, of the connection.
bool begins_with_settings(std::string_view bytes) {
  return bytes[3] == kSettingsFrame && bytes.substr(4, 5) == std::string_view("\0\0\0\0\0", 5);
}

}  // namespace

PeerProtocol peer_protocol(std::string_view bytes, bool ended) {
  if (bytes.size() >= kFrameHeaderBytes) {
    return begins_with_settings(bytes) ? PeerProtocol::http2 : PeerProtocol::another;
  }
  for (const std::string_view known : {kHttp1, kAlert, kHandshake}) {
    if (bytes.starts_with(known)) return PeerProtocol::another;
  }
  return ended ? PeerProtocol::another : PeerProtocol::too_short;
}

std::string describe_protocol(std::string_view bytes) {
  if (bytes.starts_with(kHttp1)) {
    const auto line = bytes.substr(0, bytes.find_first_of("\r\n"));
    return "the server speaks HTTP/1, not HTTP/2, which gRPC needs: it answered \"" +
           on_one_line(line) + "\"";
  }
  if (bytes.starts_with(kAlert) || bytes.starts_with(kHandshake)) {
    return "the server speaks TLS: ask it with --tls, or --tls-ca with the file of its CA";
  }
  return "the server does not speak HTTP/2";
}

std::string on_one_line(std::string_view text) {
  constexpr std::size_t kMost = 200;
  std::string line(text.substr(0, kMost));
  std::ranges::replace_if(
      line, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kMost ? line + "..." : line;
}

}  // namespace extproc::cli
