#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace extproc::grpc {

/// The longest grpc-message sent, encoded: small against the header limits of peers.
inline constexpr std::size_t kMaxStatusMessageBytes = 1024;

/// `text` as the value of grpc-message: what is not printable ASCII, and '%', as %XX. Cut before
/// kMaxStatusMessageBytes, not within a UTF-8 character.
std::string percent_encode(std::string_view text);

}  // namespace extproc::grpc
