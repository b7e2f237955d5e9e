// Blocks with libraries of their own: a program that links one gets it, with what that needs.

#include <extproc/client.h>
#include <extproc/coding.h>
#include <extproc/error.h>
#include <extproc/jwt.h>
#include <extproc/redact.h>
#include <extproc/redis.h>

#include <iostream>
#include <string>

namespace coding = extproc::coding;

int main() {
  const std::string text = "a secret";
  for (const auto one : {coding::Coding::gzip, coding::Coding::br, coding::Coding::zstd}) {
    if (coding::decoded(one, coding::encoded(one, text)) != text) return 1;
  }
  const extproc::Redaction redaction({{.pattern = "s[a-z]+t"}});
  if (extproc::Redactor(redaction).redact(text, true) != "a ******") return 2;
  const extproc::client::Client client;
  const extproc::redis::Client redis(extproc::redis::Settings::from_url("redis://localhost/1"));
  try {
    extproc::jwt::Keys::parse("{}");
  } catch (const extproc::jwt::KeysError& error) {
    std::cout << error.what() << "\n";
    return 0;
  }
  return 3;
}
