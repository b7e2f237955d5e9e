// What an HTTP client is told to send: whatever it is, it goes out as one request, or not at all.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "blocks/client/target.h"
#include "check.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace client = extproc::client;
  using extproc::fuzz::check;
  extproc::fuzz::Input input(data, size);
  client::Request request;
  request.method = input.sized();
  request.url = input.sized();
  while (!input.empty() && request.headers.size() < 4) {
    std::string name(input.sized());
    std::string value(input.sized());
    request.headers.emplace_back(std::move(name), std::move(value));
  }
  std::string text;
  try {
    const client::Target target = client::parse_target(request.url);
    text = client::request_text(request, target);
    check(target.origin.port != 0 && !target.origin.host.empty(), "there is somewhere to go");
  } catch (const client::Failure&) {
    return 0;
  }
  // Its lines are those that were asked for: the request's own, host, each header, perhaps a
  // length.
  std::size_t lines = 0;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    check(at > 0 && text[at - 1] == '\r', "a line ends in CRLF");
    ++lines;
  }
  const bool has_length = text.find("\r\ncontent-length: 0\r\n\r\n") != std::string::npos;
  check(lines == 3 + request.headers.size() + (has_length ? 1 : 0), "nothing adds a line");
  check(text.find('\0') == std::string::npos, "nor a NUL");
  check(text.ends_with("\r\n\r\n"), "it has an end");
  return 0;
}
