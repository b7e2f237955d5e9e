#pragma once

#include <string>
#include <string_view>

/// The SHA-256 digest of `text`, in lower-case hexadecimal. Throws std::runtime_error when OpenSSL
/// cannot make one.
std::string sha256(std::string_view text);
