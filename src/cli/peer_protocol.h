#pragma once

#include <string>
#include <string_view>

namespace extproc::cli {

/// Whether the first bytes of a server, `ended` when no more will come, can be told.
enum class PeerProtocol { http2, too_short, another };
PeerProtocol peer_protocol(std::string_view bytes, bool ended);

/// What a server speaks whose first bytes are not HTTP/2's, and what to do about it.
std::string describe_protocol(std::string_view bytes);

/// What a peer wrote, for one line of text: cut, and without what is not printable ASCII.
std::string on_one_line(std::string_view text);

}  // namespace extproc::cli
