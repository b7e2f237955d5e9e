// Any bytes at all must leave the server standing.
#include <random>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

class BytesTest : public ConnectionTest {
 protected:
  /// A session of a client that behaves, as one string.
  std::string recorded() {
    ClientPeer peer;
    std::string bytes = peer.take_output();
    for (int i = 0; i < 4; ++i) {
      const auto id = peer.open_call(FakeService::kPath, {{"x", std::to_string(i)}});
      peer.send_message(id, "request headers");
      peer.send_message(id, std::string(300, 'b'));
      if (i % 2 == 0) peer.end(id);
      bytes += peer.take_output();
      if (i % 2 == 1) peer.reset(id);
      bytes += peer.take_output();
    }
    return bytes;
  }

  void feed(std::string_view bytes, std::size_t at_once) {
    connection = std::make_unique<Connection>(limits, services, deadlines, buffers, "peer", [] {});
    for (; !bytes.empty(); bytes.remove_prefix(std::min(at_once, bytes.size()))) {
      if (!connection->receive(bytes.substr(0, at_once), now)) break;
      take_output(at_once);
    }
    connection.reset();
    for (const auto& handler : service.handlers) ASSERT_EQ(handler->closes, 1);
    service.handlers.clear();
  }
};

TEST_F(BytesTest, ChangedBytesOfAGoodSession) {
  service.act_on_message = [](FakeHandler& handler, std::string_view message) {
    handler.send(message);
    if (handler.messages.size() == 2) handler.call.pause();
  };
  const std::string good = recorded();
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (std::size_t i = 1 + random() % 4; i > 0; --i) {
      // The preface stays whole: without it nothing else is looked at.
      const std::size_t at = 24 + random() % (bytes.size() - 24);
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 20);
          break;
        default:
          bytes.insert(at, bytes.substr(24 + random() % (bytes.size() - 24), random() % 60));
      }
    }
    feed(bytes, 1 + random() % bytes.size());
  }
}

TEST_F(BytesTest, CutOffAnywhere) {
  const std::string good = recorded();
  for (std::size_t size = 0; size <= good.size(); ++size) feed(good.substr(0, size), 50);
}

}  // namespace
}  // namespace extproc::grpc::testing
