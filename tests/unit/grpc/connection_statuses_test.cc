// What a call ends with when something is wrong with it.
#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class StatusesTest : public ConnectionTest {};

Headers request(const std::string& method, const Headers& rest) {
  Headers headers = {{":method", method},
                     {":scheme", "http"},
                     {":path", std::string(FakeService::kPath)},
                     {":authority", "localhost"}};
  headers.insert(headers.end(), rest.begin(), rest.end());
  return headers;
}

TEST_F(StatusesTest, HttpErrorsForWhatIsNoGrpc) {
  connect();
  const struct {
    std::string method, content_type, status;
  } cases[] = {
      {"GET", "application/grpc", "405"},  {"PUT", "application/grpc", "405"},
      {"POST", "application/json", "415"}, {"POST", "application/grpcweb", "415"},
      {"POST", "text/plain", "415"},
  };
  for (const auto& c : cases) {
    const auto id = client->open(request(c.method, {{"content-type", c.content_type}}));
    client->send(id, "whatever");
    talk();
    EXPECT_EQ(client->stream(id).header(":status"), c.status) << c.method << c.content_type;
    EXPECT_TRUE(client->stream(id).closed);
    EXPECT_EQ(client->stream(id).reset, std::uint32_t{NGHTTP2_NO_ERROR});
  }
  const auto id = client->open(request("POST", {}), true);
  talk();
  EXPECT_EQ(client->stream(id).header(":status"), "415");
  EXPECT_EQ(client->stream(id).reset, std::nullopt);
  EXPECT_TRUE(service.handlers.empty());
  EXPECT_EQ(connection->open_streams(), 0U);
}

TEST_F(StatusesTest, TrailersOnlyForCallsThatCannotBegin) {
  limits.header_list_bytes = 2000;
  connect();
  const std::string path(FakeService::kPath);
  const struct {
    std::string path;
    Headers headers;
    std::string status, message;
  } cases[] = {
      {"/test.Test/Other", {}, "12", "unknown method /test.Test/Other"},
      {"/", {}, "12", "unknown method /"},
      {"/test.Test/Call/", {}, "12", "unknown method"},
      {path, {{"grpc-encoding", "gzip"}}, "12", "grpc-encoding must be identity"},
      {path, {{"grpc-timeout", "soon"}}, "13", "grpc-timeout is malformed"},
      {path, {{"grpc-timeout", "0m"}}, "4", "grpc-timeout was 0"},
      {path, {{"x", std::string(2000, 'x')}}, "8", "over the limit of 2000 bytes"},
      {path, Headers(60, {"x", "y"}), "8", "over the limit of 2000 bytes"},
  };
  for (const auto& c : cases) {
    const auto id = client->open_call(c.path, c.headers);
    client->send_message(id, "ignored");
    talk();
    const ClientStream& stream = client->stream(id);
    EXPECT_EQ(stream.header(":status"), "200");
    EXPECT_EQ(stream.header("content-type"), "application/grpc");
    EXPECT_EQ(stream.grpc_status(), c.status);
    EXPECT_THAT(stream.grpc_message(), HasSubstr(c.message));
    EXPECT_EQ(stream.header("grpc-accept-encoding").has_value(),
              c.message.starts_with("grpc-encoding"));
    EXPECT_TRUE(stream.body.empty());
    EXPECT_TRUE(stream.closed);
  }
  EXPECT_TRUE(service.handlers.empty());
  EXPECT_EQ(connection->error(), "");
}

TEST_F(StatusesTest, BrokenFramesEndTheCallAlone) {
  limits.message_bytes = 1000;
  connect();
  const auto other = call();
  const struct {
    std::string bytes;
    bool end_stream;
    std::string status, message;
  } cases[] = {
      {frame("m", 1), false, "13", "compressed"},
      {frame("", 1), false, "13", "compressed"},
      {frame("m", 2), false, "13", "neither 0 nor 1"},
      {frame("m", 255).substr(0, 5), false, "13", "neither 0 nor 1"},
      {std::string("\0\xFF\xFF\xFF\xFF", 5), false, "8",
       "4294967295 bytes is over the limit of 1000"},
      {frame(std::string(1001, 'x')).substr(0, 5), false, "8",
       "1001 bytes is over the limit of 1000"},
      {std::string("\0", 1), true, "13", "half-closed within a message"},
      {frame("message").substr(0, 5), true, "13", "half-closed within a message"},
      {frame("message").substr(0, 11), true, "13", "half-closed within a message"},
  };
  std::size_t index = 1;
  for (const auto& c : cases) {
    for (const std::string& before : {std::string(), frame("good")}) {
      for (const std::size_t at_once : {std::size_t{1}, std::size_t{1000}}) {
        const auto id = client->open_call(FakeService::kPath);
        const std::string bytes = before + c.bytes;
        for (std::size_t at = 0; at < bytes.size(); at += at_once)
          client->send(id, bytes.substr(at, at_once));
        if (c.end_stream) client->end(id);
        talk();
        const FakeHandler& handler = service.handler(index++);
        EXPECT_EQ(client->stream(id).grpc_status(), c.status);
        EXPECT_THAT(client->stream(id).grpc_message(), HasSubstr(c.message));
        EXPECT_TRUE(client->stream(id).closed);
        EXPECT_EQ(handler.messages.size(), before.empty() ? 0U : 1U);
        EXPECT_EQ(handler.closes, 1);
        EXPECT_EQ(handler.half_closes, 0);
        EXPECT_EQ(handler.close_reason,
                  c.status == "8" ? CloseReason::over_limit : CloseReason::malformed);
      }
    }
  }
  EXPECT_FALSE(client->stream(other).closed);
  EXPECT_EQ(service.handler(0).closes, 0);
}

TEST_F(StatusesTest, AMessageOfTheLimitIsAccepted) {
  limits.message_bytes = 1000;
  connect();
  call({std::string(1000, 'x')});
  EXPECT_EQ(service.handler().messages.size(), 1U);
}

TEST_F(StatusesTest, ABrokenFrameBehindMessagesThatWait) {
  service.act_on_start = [](FakeHandler& handler) { handler.call.pause(); };
  connect();
  const auto id = client->open_call(FakeService::kPath);
  client->send(id, frame("waits") + frame("bad", 3));
  talk();
  EXPECT_EQ(client->stream(id).grpc_status(), "13");
  EXPECT_EQ(service.handler().close_reason, CloseReason::malformed);
  EXPECT_TRUE(service.handler().messages.empty());
}

TEST_F(StatusesTest, TheDeadlineEndsTheCall) {
  service.act_on_message = echo;
  connect();
  const auto silent = call({}, false, {{"grpc-timeout", "100m"}});
  const auto answered = call({"m"}, true, {{"grpc-timeout", "200m"}});
  const auto without = call();
  EXPECT_FALSE(deadlines.empty());
  pass(99ms);
  EXPECT_EQ(service.handler(0).closes, 0);
  pass(11ms);
  EXPECT_EQ(client->stream(silent).grpc_status(), "4");
  EXPECT_EQ(service.handler(0).close_reason, CloseReason::deadline_exceeded);
  EXPECT_EQ(service.handler(1).closes, 0);
  pass(100ms);
  EXPECT_EQ(client->stream(answered).grpc_status(), "4");
  EXPECT_EQ(client->stream(answered).messages().size(), 1U);
  EXPECT_EQ(service.handler(1).close_reason, CloseReason::deadline_exceeded);
  EXPECT_EQ(service.handler(1).closes, 1);
  pass(1h);
  EXPECT_FALSE(client->stream(without).closed);
  EXPECT_TRUE(deadlines.empty());
}

// grpc-go tells a message that is cut as an error of its own, in place of the status.
TEST_F(StatusesTest, TheDeadlineDoesNotCutAMessage) {
  ClientOptions options;
  options.auto_window = false;
  connect(options);
  const auto id = call({}, false, {{"grpc-timeout", "100m"}});
  service.handler().send("whole");
  service.handler().send(std::string(100'000, 'x'));
  service.handler().send("not begun");
  talk();
  pass(110ms);
  EXPECT_EQ(service.handler().close_reason, CloseReason::deadline_exceeded);
  EXPECT_FALSE(client->stream(id).closed);
  client->consume(id, 65'535);
  talk();
  EXPECT_EQ(client->stream(id).grpc_status(), "4");
  EXPECT_EQ(client->stream(id).messages(),
            (std::vector<std::string>{"whole", std::string(100'000, 'x')}));
  EXPECT_EQ(client->stream(id).body.size(), 100'015U);
  EXPECT_EQ(service.handler().closes, 1);
  EXPECT_EQ(connection->open_streams(), 0U);
}

TEST_F(StatusesTest, TheDeadlineDropsWhatIsNotBegun) {
  ClientOptions options;
  options.stream_window = 0;
  connect(options);
  const auto id = call({}, false, {{"grpc-timeout", "100m"}});
  service.handler().send("not begun");
  talk();
  pass(110ms);
  EXPECT_EQ(client->stream(id).grpc_status(), "4");
  EXPECT_EQ(client->stream(id).body, "");
}

TEST_F(StatusesTest, TheDeadlineTellsOfItsOutput) {
  connect();
  call({}, false, {{"grpc-timeout", "100m"}});
  now += 1s;
  deadlines.expire(now);
  EXPECT_EQ(output_calls, 1);
}

TEST_F(StatusesTest, ACallThatEndedInTimeHasNoDeadline) {
  service.act_on_message = [](FakeHandler& handler, std::string_view) {
    handler.call.finish(GrpcStatus::ok);
  };
  connect();
  call({"m"}, false, {{"grpc-timeout", "100m"}});
  EXPECT_TRUE(deadlines.empty());
  const auto reset = call({}, false, {{"grpc-timeout", "100m"}});
  client->reset(reset);
  talk();
  EXPECT_TRUE(deadlines.empty());
  call({}, false, {{"grpc-timeout", "100m"}});
  connection.reset();
  EXPECT_TRUE(deadlines.empty());
}

TEST_F(StatusesTest, LongAndStrangeMessagesAreSentEncoded) {
  connect();
  const auto id = call();
  service.handler().call.finish(GrpcStatus::internal, "line\n" + std::string(5000, 'x'));
  talk();
  EXPECT_EQ(client->stream(id).grpc_message(), "line%0A" + std::string(1017, 'x'));
}

}  // namespace
}  // namespace extproc::grpc::testing
