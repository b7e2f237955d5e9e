#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

class ShutdownTest : public ConnectionTest {};

TEST_F(ShutdownTest, IsGraceful) {
  service.act_on_message = echo;
  connect();
  const auto open = call({"m"});
  connection->begin_shutdown();
  EXPECT_EQ(output_calls, 1);
  EXPECT_FALSE(connection->shutdown_seen());
  talk();
  EXPECT_TRUE(connection->shutdown_seen());
  ASSERT_EQ(client->goaways().size(), 1U);
  EXPECT_EQ(client->goaways()[0], (std::pair<std::int32_t, std::uint32_t>(0x7FFFFFFF, 0)));

  connection->finish_shutdown();
  EXPECT_EQ(output_calls, 2);
  talk();
  ASSERT_EQ(client->goaways().size(), 2U);
  EXPECT_EQ(client->goaways()[1], (std::pair<std::int32_t, std::uint32_t>(open, 0)));
  EXPECT_FALSE(connection->finished());
  client->send_message(open, "still served");
  talk();
  EXPECT_EQ(client->stream(open).messages().size(), 2U);
  service.handler().call.finish(GrpcStatus::ok);
  talk();
  EXPECT_TRUE(connection->finished());
  EXPECT_EQ(connection->error(), "");
}

TEST_F(ShutdownTest, ServesStreamsThatRaceWithTheNotice) {
  service.act_on_message = echo;
  connect();
  connection->begin_shutdown();
  const auto id = client->open_call(FakeService::kPath);
  client->send_message(id, "in time");
  talk();
  EXPECT_EQ(client->stream(id).messages().size(), 1U);
}

TEST_F(ShutdownTest, IgnoresStreamsAfterTheFinalGoaway) {
  connect();
  call();
  connection->finish_shutdown();
  const std::string goaway = take_output(std::size_t{1} << 20);
  client->open_call(FakeService::kPath);  // sent before the client reads the GOAWAY
  connection->receive(client->take_output(), now);
  client->receive(goaway);
  talk();
  EXPECT_EQ(service.handlers.size(), 1U);
  EXPECT_EQ(connection->open_streams(), 1U);
}

TEST_F(ShutdownTest, FinishesAtOnceWithoutStreams) {
  connect();
  connection->finish_shutdown();
  EXPECT_FALSE(connection->finished());
  talk();
  EXPECT_TRUE(connection->finished());
}

TEST_F(ShutdownTest, EndAllEndsEveryCall) {
  service.act_on_message = echo;
  ClientOptions options;
  options.auto_window = false;
  connect(options);
  const auto silent = call();
  const auto answered = call({"m"}, true);
  const auto stuck = call({"m"});
  service.handler(2).send(std::string(100'000, 'y'));
  const auto finished = call({"m"});
  service.handler(3).send(std::string(100'000, 'y'));
  service.handler(3).call.finish(GrpcStatus::ok);
  talk();
  connection->end_all(GrpcStatus::unavailable, "shutting down");
  talk();
  for (const auto id : {silent, answered, stuck}) {
    EXPECT_EQ(client->stream(id).grpc_status(), "14");
    EXPECT_EQ(client->stream(id).grpc_message(), "shutting down");
  }
  EXPECT_EQ(client->stream(finished).grpc_status(), "0");
  for (const auto& handler : service.handlers) {
    EXPECT_EQ(handler->closes, 1);
    EXPECT_EQ(handler->close_reason, CloseReason::shutdown);
  }
  EXPECT_TRUE(connection->finished());
}

TEST_F(ShutdownTest, HandlersMayUseOtherCallsWhenTheirsEnds) {
  connect();
  struct Linked final : CallHandler {
    explicit Linked(Call& the_call) : call(the_call) {}
    void on_message(std::string_view) noexcept override {}
    void on_half_close() noexcept override {}
    void on_closed(CloseReason) noexcept override {
      open = false;
      if (other != nullptr && other->open) other->call.finish(GrpcStatus::cancelled);
    }
    Call& call;
    Linked* other = nullptr;
    bool open = true;
  };
  struct LinkedService final : GrpcService {
    CallHandler* start(std::string_view, Call& call) override {
      handlers.push_back(std::make_unique<Linked>(call));
      return handlers.back().get();
    }
    std::vector<std::unique_ptr<Linked>> handlers;
  } linked;
  services = {&linked};
  for (const bool destroy : {false, true}) {
    connect();
    linked.handlers.clear();
    call();
    call();
    linked.handlers[0]->other = linked.handlers[1].get();
    linked.handlers[1]->other = linked.handlers[0].get();
    if (destroy) {
      connection.reset();
    } else {
      connection->end_all(GrpcStatus::unavailable, "");
      talk();
      EXPECT_TRUE(connection->finished());
      connection.reset();
    }
    EXPECT_FALSE(linked.handlers[0]->open);
    EXPECT_FALSE(linked.handlers[1]->open);
  }
}

}  // namespace
}  // namespace extproc::grpc::testing
