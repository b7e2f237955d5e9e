// Bytes as a JWK Set, and as a token for keys that are there.

#include <cstdint>
#include <string>

#include "blocks/jwt_tokens.h"
#include "check.h"
#include "extproc/jwt.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

void read_token(std::string_view token) {
  static const jwt::Keys keys = jwt::Keys::parse(jwt::tokens::kKeys);
  const jwt::Result result = jwt::verify(token, keys, {}, std::chrono::system_clock::time_point());
  check(result.token.has_value() == (result.reason == jwt::Reason::none), "it is one of both");
}

void read_keys(std::string_view text) {
  try {
    const jwt::Keys keys = jwt::Keys::parse(text);
    check(keys.size() > 0, "a set has a key");
    static_cast<void>(jwt::verify(jwt::tokens::kTokens[0].second, keys));
  } catch (const jwt::KeysError&) {
  }
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::Input input(data, size);
  const bool is_token = input.byte() % 2 == 0;
  const std::string text(input.take(size));
  if (is_token) {
    extproc::fuzz::read_token(text);
  } else {
    extproc::fuzz::read_keys(text);
  }
  return 0;
}
