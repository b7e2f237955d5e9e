// Bytes as what a peer sends on one HTTP/2 connection, with the health and the process service
// behind it. The first byte says how, the second how many bytes come at once.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "check.h"
#include "connection_under_test.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

void run(Input input) {
  ConnectionUnderTest connection(input.byte());
  const std::size_t piece = std::max<std::size_t>(1, std::size_t{input.byte()} * 8);
  bool open = true;
  while (open && !input.empty()) {
    // A copy of its own, so that the sanitizer sees a byte read too far.
    const std::string bytes(input.take(piece));
    open = connection.receive(bytes);
    connection.take_output();
    connection.pass(std::chrono::milliseconds(7));
  }
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::run({data, size});
  return 0;
}
