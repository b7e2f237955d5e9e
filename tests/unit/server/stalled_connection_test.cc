// Peers that begin something and do not go on, and what a connection keeps when they have.
#include <gmock/gmock.h>

#include <memory>
#include <vector>

#include "http2/frame.h"
#include "http2/live_bytes.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using extproc::testing::live_bytes;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Answers each request with a body of 300 KB.
class LargeAnswers : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.respond({.status = 200, .body = std::string(300'000, 'x')});
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
  }
};

class StalledConnectionTest : public ServerTest {
 protected:
  static std::string frame(http2::FrameType type, std::int32_t stream, std::uint32_t length,
                           std::string_view payload) {
    std::string bytes;
    http2::FrameHeader{length, type, 0, stream}.append_to(bytes);
    return bytes.append(payload);
  }

  /// Sends the beginning of something, behind whatever else there is to say.
  static void begin(SocketClient& client, std::string_view bytes) {
    client.send_only();
    client.send_bytes(bytes);
  }

  static constexpr ClientOptions kAnyWindow{.stream_window = http2::kMostWindow};
  /// And the connection's.
  static void open_window(SocketClient& client) {
    nghttp2_session_set_local_window_size(client.peer.native(), NGHTTP2_FLAG_NONE, 0,
                                          http2::kMostWindow);
  }

  void expect_stalled(SocketClient& client) {
    EXPECT_TRUE(client.talk_until_closed());
    ASSERT_FALSE(client.peer.goaways().empty());
    EXPECT_EQ(client.peer.goaways().back().second, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
    EXPECT_EQ(server_->stats().connections_stalled, 1U);
    EXPECT_THAT(log(), Contains(AllOf(StartsWith("WARNING connection from "), HasSubstr(" time"))));
  }
};

TEST_F(StalledConnectionTest, AFrameThatDoesNotEndEndsIt) {
  settings.limits.frame_timeout = 40ms;
  start();
  const auto client = connected();
  begin(*client, frame(http2::FrameType::ping, 0, 8, "1234"));
  expect_stalled(*client);
}

TEST_F(StalledConnectionTest, AHeaderBlockThatDoesNotEndEndsIt) {
  settings.limits.frame_timeout = 40ms;
  start();
  const auto client = connected();
  begin(*client, frame(http2::FrameType::headers, 99, 1, "\x83"));
  expect_stalled(*client);
}

TEST_F(StalledConnectionTest, AnswersThatThePeersWindowsHoldEndIt) {
  settings.limits.unread_timeout = 40ms;
  start();
  SocketClient client(server_->port(), {.auto_window = false, .stream_window = 1});
  client.peer.send_message(client.peer.open_call(kCheck), "", true);
  // Answers to pings are read all the while, and are none.
  client.talk_until([&] {
    nghttp2_submit_ping(client.peer.native(), NGHTTP2_FLAG_NONE, nullptr);
    return false;
  });
  EXPECT_TRUE(client.closed());
  ASSERT_FALSE(client.peer.goaways().empty());
  EXPECT_EQ(client.peer.goaways().back().second, NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(server_->stats().connections_stalled, 1U);
  EXPECT_THAT(log(), Contains(HasSubstr("answers wait for a peer that does not read")));
}

TEST_F(StalledConnectionTest, AnswersThatNobodyReadsEndIt) {
  settings.limits.unread_timeout = 100ms;
  start(Service::make<LargeAnswers>());
  SocketClient client(server_->port(), kAnyWindow);
  open_window(client);
  // More than the buffers of both sockets hold.
  for (int i = 0; i < 100; ++i)
    client.peer.send_message(client.peer.open_call(kProcess), kRequestHeaders);
  client.send_only();
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_stalled == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_THAT(log(), Contains(HasSubstr("answers wait for a peer that does not read")));
  // Reset: what waited in the kernel is not left there for it.
  EXPECT_TRUE(eventually([&] { return client.failed(); }));
}

TEST_F(StalledConnectionTest, WhatASlowReaderNeededIsGivenBack) {
  // Looks at connections each 10 ms.
  settings.limits.frame_timeout = 40ms;
  settings.limits.unread_timeout = 0ms;
  // Its buffers are smaller than what is written at once.
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/socket";
  settings.listen = "unix:" + path;
  start(Service::make<LargeAnswers>());
  std::vector<std::unique_ptr<SocketClient>> clients;
  const auto read_late = [&] {
    clients.push_back(std::make_unique<SocketClient>(path, kAnyWindow));
    SocketClient& client = *clients.back();
    open_window(client);
    std::int32_t last = 0;
    for (int i = 0; i < 20; ++i) {
      last = client.peer.open_call(kProcess);
      client.peer.send_message(last, kRequestHeaders);
    }
    EXPECT_TRUE(client.talk_until([&] { return client.stream(last).closed; }));
    client.peer.forget_closed();
  };
  // What the threads keep.
  for (int i = 0; i < 4; ++i) read_late();
  clients.clear();
  ASSERT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));

  const std::size_t before = live_bytes();
  for (int i = 0; i < 20; ++i) read_late();
  EXPECT_TRUE(eventually([&] { return live_bytes() < before + 1'000'000; }))
      << live_bytes() - before;
}

}  // namespace
}  // namespace extproc::server::testing
