// Responses that are written piece by piece to peers that read slowly, or not at all.
#include <gmock/gmock.h>

#include <atomic>
#include <boost/system/system_error.hpp>
#include <string>

#include "extproc/async.h"
#include "server/server_fixture.h"
#include "testing/request_writer.h"

namespace extproc::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kPieces = 512;
/// What a stream's answers hold before its handler waits, with one piece and its message.
constexpr std::size_t kMostHeld = (std::size_t{1} << 20) + 2 * kPiece;

constexpr std::size_t kWithoutEnd = ~std::size_t{0};

/// Writes a response of so many pieces.
class Writer : public AsyncProcessor {
 public:
  Writer(bool waits, std::size_t pieces) : waits_(waits), pieces_(pieces) {}

  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    auto& reply = response.respond_streaming(200);
    const std::string piece(kPiece, 'p');
    try {
      for (std::size_t i = 0; i < pieces_; ++i, ++written) {
        reply.write(piece);
        if (waits_) co_await reply.writable();
      }
    } catch (const boost::system::system_error&) {
      EXPECT_TRUE(context.cancelled());
      aborted = true;
    }
  }

  std::atomic<std::size_t> written = 0;
  std::atomic<bool> aborted = false;

 private:
  const bool waits_;
  const std::size_t pieces_;
};

class StreamedResponseTest : public ServerTest {
 protected:
  void start(bool waits, std::size_t pieces = kPieces) {
    writer_ = std::make_shared<Writer>(waits, pieces);
    ServerTest::start(Service(writer_));
  }

  static std::int32_t ask(SocketClient& client) {
    constexpr ProtocolConfiguration kConfig{BodySendMode::none, BodySendMode::none, false};
    const auto id = client.peer.open_call(kProcess);
    client.peer.send_message(id, extproc::testing::write_headers(Phase::request_headers, {}, true,
                                                                 {.protocol_config = &kConfig}));
    return id;
  }

  /// Asks, and reads nothing until the handler has got as far as it gets.
  std::int32_t ask_and_wait(SocketClient& client) {
    const auto id = ask(client);
    client.send_only();
    std::size_t before = 0;
    EXPECT_TRUE(eventually([&] { return writer_->written > 0; }));
    // It stands still where it was the last time.
    EXPECT_TRUE(eventually([&] {
      const std::size_t now = writer_->written;
      return std::exchange(before, now) == now;
    }));
    return id;
  }

  std::shared_ptr<Writer> writer_;
};

TEST_F(StreamedResponseTest, WaitsForItsPeer) {
  start(true);
  SocketClient client(server_->port(), {.stream_window = 1 << 20});
  const auto id = ask_and_wait(client);
  EXPECT_LT(writer_->written, kPieces);
  EXPECT_LT(server_->stats().memory_bytes, 2 * kMostHeld);
  EXPECT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(writer_->written, kPieces);
  EXPECT_FALSE(writer_->aborted);
  EXPECT_EQ(client.stream(id).messages().size(), kPieces + 2);
  EXPECT_EQ(server_->stats().streams_failed, 0U);
}

TEST_F(StreamedResponseTest, EndsWithItsPeer) {
  start(true);
  SocketClient client(server_->port());
  ask_and_wait(client);
  client.close();
  EXPECT_TRUE(eventually([&] { return writer_->aborted.load(); }));
  EXPECT_TRUE(eventually([&] { return server_->stats().streams_open == 0; }));
  EXPECT_LT(writer_->written, kPieces);
}

TEST_F(StreamedResponseTest, IsSeenAtTheConnectionsLimitWhereItDoesNotWait) {
  settings.limits.message_bytes = std::size_t{1} << 20;
  settings.limits.buffered_bytes_per_connection = std::size_t{4} << 20;
  start(false);
  SocketClient client(server_->port());
  const auto id = ask(client);
  EXPECT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(client.stream(id).grpc_status(), "8");
  EXPECT_EQ(server_->stats().streams_over_limit, 1U);
  EXPECT_EQ(server_->stats().streams_failed, 1U);
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("a stream of 127.0.0.1:"),
                                    HasSubstr("is ended over a limit"))));
}

// The limit is reached before it has to wait.
TEST_F(StreamedResponseTest, OneWithoutEndEndsAtTheConnectionsLimit) {
  settings.limits.message_bytes = std::size_t{1} << 20;
  settings.limits.buffered_bytes_per_connection = std::size_t{4} << 20;
  settings.limits.queued_bytes_per_stream = std::size_t{8} << 20;
  start(true, kWithoutEnd);
  SocketClient client(server_->port());
  const auto id = ask(client);
  EXPECT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(client.stream(id).grpc_status(), "8");
  EXPECT_TRUE(eventually([&] { return writer_->aborted.load(); }));
  EXPECT_EQ(server_->stats().streams_over_limit, 1U);
}

}  // namespace
}  // namespace extproc::server::testing
