// The life of a call: messages, half close, status, metadata, and what its handler may do where.
#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class CallsTest : public ConnectionTest {};

TEST_F(CallsTest, EchoesAndEndsWithOk) {
  service.act_on_message = echo;
  service.act_on_half_close = finish_ok;
  connect();
  EXPECT_TRUE(connection->established());
  const auto id = call({"one", "", "three"}, true);
  const ClientStream& stream = client->stream(id);
  EXPECT_THAT(stream.messages(), ElementsAre("one", "", "three"));
  EXPECT_THAT(stream.headers, ElementsAre(std::pair(":status", "200"),
                                          std::pair("content-type", "application/grpc")));
  EXPECT_THAT(stream.trailers, ElementsAre(std::pair("grpc-status", "0")));
  EXPECT_EQ(stream.reset, std::nullopt);
  EXPECT_EQ(service.handler().half_closes, 1);
  EXPECT_EQ(service.handler().closes, 1);
  EXPECT_EQ(service.handler().close_reason, CloseReason::finished);
  EXPECT_EQ(connection->open_streams(), 0U);
}

TEST_F(CallsTest, WritesHeadersMessageAndTrailersTogether) {
  service.act_on_message = [](FakeHandler& handler, std::string_view message) {
    handler.send(message);
    handler.call.finish(GrpcStatus::ok);
  };
  connect();
  const auto id = client->open_call(FakeService::kPath);
  client->send_message(id, "m", true);
  connection->receive(client->take_output(), now);
  const std::string out = take_output(std::size_t{1} << 20);
  EXPECT_EQ(output_calls, 0);
  client->receive(out);
  EXPECT_THAT(client->stream(id).messages(), ElementsAre("m"));
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
}

TEST_F(CallsTest, ResetsWithoutErrorAfterAnEarlyEnd) {
  service.act_on_message = [](FakeHandler& handler, std::string_view message) {
    handler.send(message);
    handler.call.finish(GrpcStatus::ok);
  };
  connect();
  const auto id = call({"first", "dropped"});
  EXPECT_THAT(service.handler().messages, ElementsAre("first"));
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
  EXPECT_EQ(client->stream(id).reset, std::uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_EQ(service.handler().half_closes, 0);
  EXPECT_EQ(service.handler().close_reason, CloseReason::finished);
}

TEST_F(CallsTest, AnswersLongAfterTheMessage) {
  connect();
  const auto id = call({"m"});
  EXPECT_TRUE(client->stream(id).headers.empty());
  FakeHandler& handler = service.handler();
  handler.send("later");
  EXPECT_EQ(output_calls, 1);
  handler.send("later still");
  handler.call.finish(GrpcStatus::aborted, "100% over");
  EXPECT_EQ(output_calls, 1);
  talk();
  EXPECT_THAT(client->stream(id).messages(), ElementsAre("later", "later still"));
  EXPECT_EQ(client->stream(id).grpc_status(), "10");
  EXPECT_EQ(client->stream(id).grpc_message(), "100%25 over");
}

TEST_F(CallsTest, TellsOfOutputAgainAfterItWasTaken) {
  connect();
  call({"m"});
  for (int i = 1; i <= 3; ++i) {
    service.handler().send("answer");
    EXPECT_EQ(output_calls, i);
    talk();
  }
}

TEST_F(CallsTest, GivesMetadataDeadlineAndPeer) {
  service.act_on_start = [this](FakeHandler& handler) {
    EXPECT_EQ(handler.call.metadata().get("x-tenant"), "blue");
    EXPECT_EQ(handler.call.deadline(), now + 2s);
    EXPECT_EQ(handler.call.peer(), "127.0.0.1:1234");
  };
  connect();
  call({}, false, {{"x-tenant", "blue"}, {"grpc-timeout", "2S"}});
  EXPECT_EQ(service.handlers.size(), 1U);
  service.act_on_start = nullptr;
  call();
  EXPECT_EQ(service.handler(1).call.deadline(), std::nullopt);
}

TEST_F(CallsTest, MayBeFinishedAtTheStart) {
  service.act_on_start = [](FakeHandler& handler) {
    handler.call.finish(GrpcStatus::permission_denied, "no");
  };
  connect();
  const auto id = call({"m"}, true);
  EXPECT_EQ(client->stream(id).grpc_status(), "7");
  EXPECT_TRUE(service.handler().messages.empty());
  EXPECT_EQ(service.handler().half_closes, 0);
  EXPECT_EQ(service.handler().close_reason, CloseReason::finished);
}

TEST_F(CallsTest, MayBeFinishedWhenTheStartGivesNoHandler) {
  struct Refusing final : GrpcService {
    CallHandler* start(std::string_view, Call& call) override {
      call.finish(GrpcStatus::unavailable, "draining");
      return nullptr;
    }
  } refusing;
  services = {&refusing, &service};
  connect();
  EXPECT_EQ(client->stream(call({"m"})).grpc_status(), "14");
  EXPECT_TRUE(service.handlers.empty());
}

TEST_F(CallsTest, DropsWhatIsWrittenAfterTheEnd) {
  connect();
  const auto id = call({"m"});
  FakeHandler& handler = service.handler();
  handler.call.finish(GrpcStatus::ok);
  handler.send("too late");
  handler.call.finish(GrpcStatus::internal, "too late");
  talk();
  EXPECT_EQ(client->stream(id).body, "");
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
}

TEST_F(CallsTest, PauseHoldsMessagesAndHalfCloseBack) {
  service.act_on_message = [](FakeHandler& handler, std::string_view) { handler.call.pause(); };
  connect();
  call({"a", "b", "c"}, true);
  FakeHandler& handler = service.handler();
  EXPECT_THAT(handler.messages, ElementsAre("a"));
  handler.call.resume();
  EXPECT_THAT(handler.messages, ElementsAre("a", "b"));
  handler.call.resume();
  EXPECT_THAT(handler.messages, ElementsAre("a", "b", "c"));
  EXPECT_EQ(handler.half_closes, 0);
  handler.call.resume();
  EXPECT_EQ(handler.half_closes, 1);
  handler.call.resume();
  EXPECT_EQ(handler.half_closes, 1);
}

TEST_F(CallsTest, ResumeWithinAMessageDoesNotNest) {
  int depth = 0;
  service.act_on_message = [&depth](FakeHandler& handler, std::string_view) {
    EXPECT_EQ(++depth, 1);
    handler.call.pause();
    handler.call.resume();
    --depth;
  };
  connect();
  call(std::vector<std::string>(100, "m"), true);
  EXPECT_EQ(service.handler().messages.size(), 100U);
  EXPECT_EQ(service.handler().half_closes, 1);
}

TEST_F(CallsTest, ResumeFromOutsideDeliversALongQueueFlat) {
  connect();
  service.act_on_start = [](FakeHandler& handler) { handler.call.pause(); };
  service.act_on_message = [](FakeHandler& handler, std::string_view) { handler.call.resume(); };
  call(std::vector<std::string>(20'000, "m"), true);
  FakeHandler& handler = service.handler();
  EXPECT_TRUE(handler.messages.empty());
  handler.call.resume();
  talk();
  EXPECT_EQ(handler.messages.size(), 20'000U);
  EXPECT_EQ(handler.half_closes, 1);
}

TEST_F(CallsTest, FinishWhileAWaitingMessageIsDelivered) {
  service.act_on_start = [](FakeHandler& handler) { handler.call.pause(); };
  std::string seen;
  service.act_on_message = [&seen](FakeHandler& handler, std::string_view message) {
    handler.call.finish(GrpcStatus::ok);
    seen = message;  // still there
  };
  connect();
  const auto id = call({std::string(100, 'x'), "never"});
  service.handler().call.resume();
  EXPECT_EQ(seen, std::string(100, 'x'));
  talk();
  EXPECT_EQ(service.handler().messages.size(), 1U);
  EXPECT_EQ(client->stream(id).grpc_status(), "0");
}

TEST_F(CallsTest, HandlersOfOneConnectionMayUseEachOthersCalls) {
  connect();
  const auto first = call({"m"});
  FakeHandler& waiting = service.handler(0);
  service.act_on_message = [&waiting](FakeHandler& handler, std::string_view message) {
    waiting.send(message);
    waiting.call.finish(GrpcStatus::ok);
    handler.call.finish(GrpcStatus::ok);
  };
  call({"from another"});
  EXPECT_THAT(client->stream(first).messages(), ElementsAre("from another"));
  EXPECT_EQ(waiting.close_reason, CloseReason::finished);
}

TEST_F(CallsTest, LosingTheConnectionClosesEveryCallOnce) {
  connect();
  call({"m"});
  call();
  service.handler(1).call.pause();
  const auto ended = client->open_call(FakeService::kPath);
  connection->receive(client->take_output(), now);
  service.handler(2).call.finish(GrpcStatus::ok);
  static_cast<void>(ended);
  connection.reset();
  for (const auto& handler : service.handlers) {
    EXPECT_EQ(handler->closes, 1);
    EXPECT_EQ(handler->close_reason, CloseReason::connection_lost);
  }
}

}  // namespace
}  // namespace extproc::grpc::testing
