// Answers that a slow reader does not take: what the handler hears of it.
#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

constexpr std::size_t kWindow = 65'535;

class CongestionTest : public ConnectionTest {
 protected:
  CongestionTest() {
    limits.queued_bytes_per_stream = 50'000;
    ClientOptions options;
    options.auto_window = false;
    connect(options);
  }

  /// More than the client's window and the queue take. What is heard counts from here.
  void congest(FakeHandler& handler) {
    do {
      while (!handler.call.congested()) handler.send(std::string(10'000, 'x'));
      talk();
    } while (!handler.call.congested());
    handler.writables = 0;
  }
};

TEST_F(CongestionTest, BeginsOverTheLimitAndEndsAtIt) {
  call();
  FakeHandler& handler = service.handler();
  handler.send(std::string(50'000 - 5, 'x'));
  EXPECT_FALSE(handler.call.congested());
  handler.send("");
  EXPECT_TRUE(handler.call.congested());
  talk();
  EXPECT_FALSE(handler.call.congested());
}

TEST_F(CongestionTest, IsToldOnceWhenItEnds) {
  const auto id = call();
  FakeHandler& handler = service.handler();
  congest(handler);
  talk();
  EXPECT_EQ(handler.writables, 0);
  // Some is taken, not enough.
  client->consume(id, 100);
  talk();
  EXPECT_TRUE(handler.call.congested());
  EXPECT_EQ(handler.writables, 0);
  client->consume(id, kWindow - 100);
  talk();
  EXPECT_FALSE(handler.call.congested());
  EXPECT_EQ(handler.writables, 1);
  client->consume(id, kWindow);
  talk();
  EXPECT_EQ(handler.writables, 1);
  // And again for the next time.
  congest(handler);
  client->consume(id, kWindow);
  talk();
  client->consume(id, kWindow);
  talk();
  EXPECT_EQ(handler.writables, 1);
}

// Nothing comes before it; what waited comes behind it.
TEST_F(CongestionTest, HoldsMessagesAndTheHalfCloseBack) {
  const auto id = call();
  FakeHandler& handler = service.handler();
  std::size_t seen_when_writable = 99;
  congest(handler);
  handler.act_on_writable = [&](FakeHandler& h) {
    EXPECT_FALSE(h.call.congested());
    seen_when_writable = h.messages.size();
    EXPECT_EQ(h.half_closes, 0);
  };
  client->send_message(id, "one");
  client->send_message(id, "two");
  client->end(id);
  talk();
  EXPECT_TRUE(handler.messages.empty());
  EXPECT_EQ(handler.half_closes, 0);
  client->consume(id, kWindow);
  talk();
  EXPECT_EQ(seen_when_writable, 0U);
  EXPECT_EQ(handler.messages, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(handler.half_closes, 1);
}

// What it writes when it is told goes through the session, which nghttp2 does not allow within its
// callbacks; and it may end the call.
TEST_F(CongestionTest, AllowsEverythingWhenItEnds) {
  for (const bool finishes : {false, true}) {
    const auto id = call();
    FakeHandler& handler = *service.handlers.back();
    congest(handler);
    handler.act_on_writable = [&](FakeHandler& h) {
      h.send("written when told");
      h.call.pause();
      h.call.resume();
      if (finishes) h.call.finish(GrpcStatus::ok);
    };
    client->send_message(id, "waits");
    talk();
    for (int i = 0; i < 10; ++i) {
      client->consume(id, kWindow);
      talk();
    }
    EXPECT_EQ(handler.writables, 1);
    EXPECT_EQ(client->stream(id).messages().back(), "written when told");
    // resume() has delivered what waited.
    EXPECT_EQ(handler.messages.size(), 1U);
    EXPECT_EQ(client->stream(id).closed, finishes);
  }
}

// A pause holds messages, not this.
TEST_F(CongestionTest, IsToldOfWhilePaused) {
  const auto id = call();
  FakeHandler& handler = service.handler();
  congest(handler);
  handler.call.pause();
  client->send_message(id, "waits");
  client->consume(id, kWindow);
  talk();
  client->consume(id, kWindow);
  talk();
  EXPECT_EQ(handler.writables, 1);
  EXPECT_TRUE(handler.messages.empty());
  handler.call.resume();
  EXPECT_EQ(handler.messages.size(), 1U);
}

TEST_F(CongestionTest, IsNotToldOfAfterTheEnd) {
  const auto id = call();
  FakeHandler& handler = service.handler();
  congest(handler);
  handler.call.finish(GrpcStatus::ok);
  for (int i = 0; i < 4; ++i) {
    client->consume(id, kWindow);
    talk();
  }
  EXPECT_TRUE(client->stream(id).closed);
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
  EXPECT_EQ(handler.writables, 0);
  EXPECT_EQ(handler.closes, 1);
}

TEST_F(CongestionTest, OfOneCallIsNotAnothers) {
  const auto slow = call();
  const auto fast = call();
  congest(service.handler(0));
  EXPECT_FALSE(service.handler(1).call.congested());
  service.handler(1).send("quick");
  client->send_message(fast, "m");
  talk();
  EXPECT_EQ(service.handler(1).messages.size(), 1U);
  client->consume(slow, kWindow);
  talk();
  EXPECT_EQ(service.handler(1).writables, 0);
}

}  // namespace
}  // namespace extproc::grpc::testing
