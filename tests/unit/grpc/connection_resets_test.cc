// RST_STREAM as the normal end, and as an attack.
#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

using namespace std::chrono_literals;

class ResetsTest : public ConnectionTest {
 protected:
  /// Opens a stream, sends a message, and resets the stream before an answer. False when the
  /// connection has ended.
  bool owed_reset() {
    const auto id = call({"m"});
    client->reset(id);
    talk();
    return connection->error().empty();
  }
};

TEST_F(ResetsTest, AResetEndsTheCall) {
  service.act_on_message = echo;
  connect();
  const auto id = call({"m"});
  client->reset(id);
  talk();
  EXPECT_EQ(service.handler().closes, 1);
  EXPECT_EQ(service.handler().close_reason, CloseReason::reset);
  EXPECT_EQ(connection->open_streams(), 0U);
}

TEST_F(ResetsTest, EnvoysNormalEndsAreNeverTooMany) {
  limits.owed_resets_per_second = 1;
  limits.owed_resets_burst = 1;
  service.act_on_message = echo;
  connect();
  for (int i = 0; i < 100'000; ++i) {
    const auto id = call({"request headers"});
    client->send_message(id, "response headers");
    talk();
    client->end(id);
    client->reset(id);
    talk();
    ASSERT_EQ(connection->error(), "") << i;
    ASSERT_EQ(service.handlers.back()->messages.size(), 2U);
    client->forget_closed();
    service.handlers.clear();
  }
}

TEST_F(ResetsTest, ResetsAfterAnEarlyEndAreNotCounted) {
  limits.owed_resets_per_second = 0;
  limits.owed_resets_burst = 0;
  service.act_on_message = [](FakeHandler& handler, std::string_view) {
    handler.call.finish(GrpcStatus::ok);
  };
  connect();
  for (int i = 0; i < 1'000; ++i) {
    const auto id = client->open_call(FakeService::kPath);
    client->send_message(id, "m");
    connection->receive(client->take_output(), now);
    client->reset(id);
    ASSERT_TRUE(connection->receive(client->take_output(), now));
    talk();
  }
}

TEST_F(ResetsTest, OwedResetsOverTheBurstEndTheConnection) {
  limits.owed_resets_per_second = 10;
  limits.owed_resets_burst = 100;
  connect();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(owed_reset()) << i;
  now += 1s;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(owed_reset()) << i;
  EXPECT_FALSE(owed_reset());
  ASSERT_FALSE(client->goaways().empty());
  EXPECT_EQ(client->goaways().back().second, std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM});
  EXPECT_TRUE(connection->finished());
  EXPECT_FALSE(connection->receive("more", now));
}

TEST_F(ResetsTest, OwedIsAMessageWithoutAnAnswerOrACallWithoutAny) {
  limits.owed_resets_per_second = 0;
  limits.owed_resets_burst = 0;
  const struct {
    const char* name;
    std::vector<std::string> before, after;
    bool answer, paused, owed;
  } cases[] = {
      {"nothing sent", {}, {}, false, false, true},
      {"one message, not answered", {"a"}, {}, false, false, true},
      {"one message, answered", {"a"}, {}, true, false, false},
      {"answered, then another", {"a"}, {"b"}, true, false, true},
      {"answered, then another that waits", {"a"}, {"b"}, true, true, true},
  };
  for (const auto& c : cases) {
    connect();
    const auto id = call(c.before);
    FakeHandler& handler = *service.handlers.back();
    if (c.answer) handler.send("answer");
    if (c.paused) handler.call.pause();
    for (const std::string& message : c.after) client->send_message(id, message);
    talk();
    client->reset(id);
    talk();
    EXPECT_EQ(!connection->error().empty(), c.owed) << c.name;
  }
}

TEST_F(ResetsTest, StreamsThatThePeerMakesTheServerResetCountAsWell) {
  limits.owed_resets_per_second = 0;
  limits.owed_resets_burst = 5;
  connect();
  int count = 0;
  for (; count < 100 && connection->error().empty(); ++count) {
    const auto id = call();
    // A WINDOW_UPDATE that makes the window too large is a stream error.
    std::string update("\0\0\x04\x08\0\0\0", 7);
    update += static_cast<char>(id >> 8);
    update += static_cast<char>(id & 0xFF);
    update += "\x7F\xFF\xFF\xFF";
    connection->receive(update, now);
    talk();
  }
  EXPECT_EQ(count, 6);
}

}  // namespace
}  // namespace extproc::grpc::testing
