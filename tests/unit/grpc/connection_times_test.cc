// How long a peer may take for a message, and for a frame.
#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class MessageTimeTest : public ConnectionTest {
 protected:
  MessageTimeTest() {
    limits.incomplete_message_timeout = 60s;
    service.act_on_message = echo;
  }

  void send(std::int32_t id, std::string_view bytes) {
    client->send(id, std::string(bytes));
    talk();
  }
  bool closed(std::int32_t id) { return client->stream(id).closed; }

  const std::string message = frame(std::string(1'000, 'm'));
};

TEST_F(MessageTimeTest, AMessageThatDoesNotEndEndsItsStream) {
  connect();
  const auto id = call();
  const auto other = call();
  // However often something comes.
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_FALSE(closed(id)) << i;
    send(id, message.substr(i, 1));
    pass(10s);
  }
  pass(10ms);
  EXPECT_EQ(client->stream(id).grpc_status(), "4");
  EXPECT_THAT(client->stream(id).grpc_message(), HasSubstr("not complete in time"));
  EXPECT_EQ(service.handler(0).close_reason, CloseReason::deadline_exceeded);
  EXPECT_FALSE(closed(other));
  EXPECT_TRUE(deadlines.empty());
}

TEST_F(MessageTimeTest, EachMessageHasItsOwn) {
  connect();
  const auto id = call();
  send(id, message.substr(0, 500));
  for (int i = 0; i < 5; ++i) {
    pass(50s);
    send(id, message.substr(500) + message + message.substr(0, 500));
  }
  EXPECT_EQ(service.handler().messages.size(), 10U);
  pass(50s);
  EXPECT_FALSE(closed(id));
  send(id, message.substr(500));
  EXPECT_TRUE(deadlines.empty());
  pass(1h);
  EXPECT_FALSE(closed(id));
}

TEST_F(MessageTimeTest, WholeMessagesNeedNone) {
  connect();
  const auto id = call({"a", "b"});
  EXPECT_TRUE(deadlines.empty());
  service.handler().call.pause();
  send(id, message + message);
  EXPECT_TRUE(deadlines.empty());
}

TEST_F(MessageTimeTest, ItDoesNotCountBehindAMessageThatWaits) {
  connect();
  const auto id = call({"a"});
  service.handler().call.pause();
  send(id, message + message.substr(0, 500));
  for (int i = 0; i < 100; ++i) pass(10s);
  EXPECT_FALSE(closed(id));
  service.handler().call.resume();
  talk();
  EXPECT_EQ(service.handler().messages.size(), 2U);
  // From then on it does.
  pass(60s);
  EXPECT_FALSE(closed(id));
  pass(61s);
  EXPECT_EQ(client->stream(id).grpc_status(), "4");
}

TEST_F(MessageTimeTest, ItCountsWhereNothingWaits) {
  connect();
  const auto id = call({"a"});
  service.handler().call.pause();
  send(id, message.substr(0, 3));
  pass(61s);
  EXPECT_EQ(client->stream(id).grpc_status(), "4");
}

TEST_F(MessageTimeTest, ADeadlineThatIsEarlierCounts) {
  connect();
  const auto early = call({}, false, {{"grpc-timeout", "30S"}});
  const auto late = call({}, false, {{"grpc-timeout", "90S"}});
  const auto whole = call({}, false, {{"grpc-timeout", "90S"}});
  for (const auto id : {early, late, whole}) send(id, message.substr(0, 500));
  EXPECT_EQ(service.handler(1).call.deadline(), now + 90s);
  send(whole, message.substr(500));
  pass(31s);
  EXPECT_THAT(client->stream(early).grpc_message(), HasSubstr("grpc-timeout"));
  pass(30s);
  EXPECT_THAT(client->stream(late).grpc_message(), HasSubstr("not complete in time"));
  EXPECT_FALSE(closed(whole));
  pass(30s);
  EXPECT_THAT(client->stream(whole).grpc_message(), HasSubstr("grpc-timeout"));
}

TEST_F(MessageTimeTest, ZeroIsAnyTime) {
  limits.incomplete_message_timeout = 0ms;
  connect();
  const auto id = call();
  send(id, message.substr(0, 500));
  EXPECT_TRUE(deadlines.empty());
  pass(24h);
  send(id, message.substr(500));
  EXPECT_EQ(service.handler().messages.size(), 1U);
}

}  // namespace
}  // namespace extproc::grpc::testing
