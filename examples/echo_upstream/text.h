#pragma once

#include <string>
#include <string_view>

namespace echo {

/// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above
/// U+10FFFF).
bool is_utf8(std::string_view text);

/// Each byte read as the Unicode character of that number.
std::string latin1_to_utf8(std::string_view text);

/// %XX replaced by the byte; a % without two hexadecimal digits is kept.
std::string percent_decode(std::string_view text);

/// Whether the text can stand in a header without ending it: no control characters.
bool is_header_value(std::string_view text);

}  // namespace echo
