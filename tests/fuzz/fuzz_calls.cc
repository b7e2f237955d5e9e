// Bytes as what a well-behaved HTTP/2 client does with gRPC calls: nghttp2's client makes the
// frames, so that the bytes go into calls, message framing, flow control and resets instead of
// HPACK.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "connection_under_test.h"
#include "http2/client_peer.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

using http2::testing::ClientPeer;

constexpr std::string_view kPaths[] = {
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/unknown.Service/Method",
    "",
};

class Client {
 public:
  explicit Client(std::uint8_t mode) : connection_(mode), peer_({.auto_window = (mode & 8) == 0}) {}

  void act(Input& input) {
    switch (input.byte() % 8) {
      case 0:
        calls_.push_back(peer_.open_call(kPaths[input.byte() % std::size(kPaths)], {}));
        break;
      case 1:
        calls_.push_back(peer_.open_call(
            kPaths[0], {{"grpc-timeout", std::string(input.take(input.byte() % 12))}}));
        break;
      case 2:
        if (const auto call = chosen(input)) peer_.send_message(call, input.sized());
        break;
      case 3:
        if (const auto call = chosen(input)) peer_.send(call, std::string(input.sized()));
        break;
      case 4:
        if (const auto call = chosen(input)) peer_.end(call);
        break;
      case 5:
        if (const auto call = chosen(input)) peer_.reset(call, input.byte());
        break;
      case 6:
        if (const auto call = chosen(input)) peer_.consume(call, input.byte() * 64U);
        break;
      default:
        connection_.pass(std::chrono::milliseconds(input.byte()));
    }
  }

  /// Hands over what waits on both sides; false at the connection's end.
  bool exchange() {
    const std::string up = peer_.take_output();
    const bool open = up.empty() || connection_.receive(up);
    check(peer_.receive(connection_.take_output()), "what the server sends is HTTP/2");
    return open;
  }

 private:
  std::int32_t chosen(Input& input) const {
    return calls_.empty() ? 0 : calls_[input.byte() % calls_.size()];
  }

  ConnectionUnderTest connection_;
  ClientPeer peer_;
  std::vector<std::int32_t> calls_;
};

void run(Input input) {
  Client client(input.byte());
  bool open = client.exchange();
  while (open && !input.empty()) {
    client.act(input);
    open = client.exchange();
  }
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::run({data, size});
  return 0;
}
