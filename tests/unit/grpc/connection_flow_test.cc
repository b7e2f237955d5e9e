// Flow control both ways, and the bounds of memory.
#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

using ::testing::HasSubstr;

class FlowTest : public ConnectionTest {
 protected:
  void send_many(std::int32_t id, std::size_t count, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i) client->send_message(id, std::string(size, 'x'));
    talk();
  }
};

TEST_F(FlowTest, ASlowHandlerStallsItsOwnStreamOnly) {
  limits.stream_window_bytes = 65'536;
  limits.connection_window_bytes = 65'536;
  connect();
  const auto slow = call();
  service.handler(0).call.pause();
  send_many(slow, 100, 10'000);
  EXPECT_GT(client->unsent(slow), 900'000U);
  const auto fast = call();
  send_many(fast, 100, 10'000);
  EXPECT_EQ(service.handler(1).messages.size(), 100U);
  EXPECT_TRUE(service.handler(0).messages.empty());
  service.handler(0).call.resume();
  talk();
  EXPECT_EQ(service.handler(0).messages.size(), 100U);
  EXPECT_EQ(client->unsent(slow), 0U);
}

TEST_F(FlowTest, AHandlerThatPausesAfterEachMessageGetsThemAll) {
  limits.stream_window_bytes = 65'536;
  service.act_on_message = [](FakeHandler& handler, std::string_view) { handler.call.pause(); };
  connect();
  const auto id = call();
  send_many(id, 200, 5'000);
  for (std::size_t i = 1; i <= 200; ++i) {
    ASSERT_EQ(service.handler().messages.size(), i);
    service.handler().call.resume();
    talk();
  }
}

TEST_F(FlowTest, AMessageLargerThanTheWindowArrives) {
  limits.stream_window_bytes = 1'000;
  for (const bool paused : {false, true}) {
    connect();
    const auto id = call();
    FakeHandler& handler = *service.handlers.back();
    if (paused) handler.call.pause();
    send_many(id, 3, 1'000'000);
    if (paused) {
      EXPECT_TRUE(handler.messages.empty());
      EXPECT_GT(client->unsent(id), 1'900'000U);
      handler.call.resume();
      talk();
    }
    EXPECT_EQ(handler.messages.size(), 3U);
  }
}

TEST_F(FlowTest, AWaitingCallHoldsAWindowAtMost) {
  limits.stream_window_bytes = 100'000;
  connect();
  const auto id = call();
  service.handler().call.pause();
  client->send_message(id, "waits");
  send_many(id, 3, 1'000'000);
  EXPECT_GE(client->unsent(id), 2'900'000U);
}

TEST_F(FlowTest, ASlowReaderStopsDeliveries) {
  limits.queued_bytes_per_stream = 50'000;
  service.act_on_message = echo;
  service.act_on_half_close = finish_ok;
  ClientOptions options;
  options.auto_window = false;
  connect(options);
  const auto id = call();
  for (int i = 0; i < 40; ++i) client->send_message(id, std::string(10'000, 'x'));
  client->end(id);
  talk();
  // 65,535 bytes are on their way, and the queue went over its limit by one message.
  const std::size_t stalled = service.handler().messages.size();
  EXPECT_GE(stalled, 11U);
  EXPECT_LE(stalled, 13U);
  EXPECT_EQ(service.handler().half_closes, 0);
  while (!client->stream(id).closed) {
    client->consume(id, 60'000);
    talk();
    ASSERT_LE(service.handler().messages.size() * 10'005,
              client->stream(id).body.size() + 65'535 + 50'000 + 10'005);
  }
  EXPECT_EQ(client->stream(id).messages().size(), 40U);
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
  EXPECT_EQ(service.handler().half_closes, 1);
}

TEST_F(FlowTest, AnAnswerLargerThanTheWindowIsFollowedByItsStatus) {
  service.act_on_message = [](FakeHandler& handler, std::string_view) {
    handler.send(std::string(3'000'000, 'y'));
    handler.call.finish(GrpcStatus::ok);
  };
  connect();
  const auto id = call({"m"});
  EXPECT_EQ(client->stream(id).messages().size(), 1U);
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
  EXPECT_EQ(service.handler().close_reason, CloseReason::finished);
}

TEST_F(FlowTest, WaitingMessagesCountAgainstTheConnection) {
  // By their memory, which doubles: 80'040 bytes for six of them.
  limits.buffered_bytes_per_connection = 150'000;
  connect();
  const auto first = call();
  const auto second = call();
  service.handler(0).call.pause();
  service.handler(1).call.pause();
  send_many(first, 6, 10'000);
  send_many(second, 6, 10'000);
  EXPECT_FALSE(client->stream(first).closed);
  EXPECT_EQ(client->stream(second).grpc_status(), "8");
  EXPECT_THAT(client->stream(second).grpc_message(), HasSubstr("buffers too much"));
  EXPECT_EQ(service.handler(1).close_reason, CloseReason::over_limit);
  service.handler(0).call.resume();
  EXPECT_EQ(service.handler(0).messages.size(), 6U);
  // All is given back: the next one has room again.
  const auto third = call();
  service.handler(2).call.pause();
  send_many(third, 8, 10'000);
  EXPECT_FALSE(client->stream(third).closed);
}

TEST_F(FlowTest, PartialMessagesCountAgainstTheConnection) {
  limits.buffered_bytes_per_connection = 100'000;
  connect();
  const auto id = call();
  client->send(id, frame(std::string(200'000, 'x')).substr(0, 150'000));
  talk();
  EXPECT_EQ(client->stream(id).grpc_status(), "8");
  EXPECT_EQ(service.handler().close_reason, CloseReason::over_limit);
}

TEST_F(FlowTest, AnswersThatWaitCountAgainstTheConnection) {
  limits.buffered_bytes_per_connection = 200'000;
  ClientOptions options;
  options.auto_window = false;
  connect(options);
  const auto id = call({"m"});
  FakeHandler& handler = service.handler();
  for (int i = 0; i < 40 && handler.closes == 0; ++i) {
    handler.send(std::string(10'000, 'y'));
    talk();
  }
  // The status does not wait for the window.
  EXPECT_EQ(client->stream(id).grpc_status(), "8");
  EXPECT_TRUE(client->stream(id).closed);
  EXPECT_EQ(handler.closes, 1);
  EXPECT_EQ(handler.close_reason, CloseReason::over_limit);
}

TEST_F(FlowTest, TheHandlerIsNotToldOfTheLimitWithinItsOwnCall) {
  limits.buffered_bytes_per_connection = 1'000;
  bool told_within = false;
  service.act_on_message = [&told_within](FakeHandler& handler, std::string_view) {
    handler.send(std::string(2'000, 'y'));
    told_within = handler.closes != 0;
    handler.send("more");
    handler.call.finish(GrpcStatus::ok);
  };
  connect();
  const auto id = call({"m"});
  EXPECT_FALSE(told_within);
  EXPECT_EQ(service.handler().closes, 1);
  EXPECT_EQ(service.handler().close_reason, CloseReason::over_limit);
  EXPECT_EQ(client->stream(id).grpc_status(), "8");
}

TEST_F(FlowTest, OutputComesInPiecesOfTheSizeAskedFor) {
  service.act_on_message = [](FakeHandler& handler, std::string_view) {
    handler.send(std::string(60'000, 'y'));
  };
  connect();
  const auto id = client->open_call(FakeService::kPath);
  client->send_message(id, "m");
  connection->receive(client->take_output(), now);
  std::string all;
  for (std::size_t before = 1; all.size() != before;) {
    before = all.size();
    all += take_output(1'000);
    EXPECT_LE(all.size() - before, 1'000U + 16'384 + 9);
  }
  client->receive(all);
  EXPECT_EQ(client->stream(id).messages().size(), 1U);
}

TEST_F(FlowTest, DataAfterTheEndGivesItsConnectionCreditBack) {
  limits.connection_window_bytes = 65'536;
  service.act_on_start = finish_ok;
  connect();
  for (int i = 0; i < 50; ++i) {
    const auto id = client->open_call(FakeService::kPath);
    client->send(id, std::string(10'000, 'x'));
    client->send(id, std::string(10'000, 'x'));
    // Sent in one go, before the client can know of the end.
    talk();
    ASSERT_EQ(client->stream(id).grpc_status(), "0");
    ASSERT_EQ(client->unsent(id), 0U);
  }
}

}  // namespace
}  // namespace extproc::grpc::testing
