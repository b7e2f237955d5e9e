// Deadlines, rules and early ends through a whole server, and what its Stats count of them.
#include <gmock/gmock.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "extproc/async.h"
#include "server/server_fixture.h"
#include "stream/describe.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using stream::describe;

constexpr std::string_view kResponseHeaders("\x1a\x00", 2);
/// Behind a message: a protocol_config without bodies.
constexpr std::string_view kNoBodies("\x5a\x00", 2);

Task<> wait(Context& context, std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(executor(context), time);
  co_await timer.async_wait(boost::asio::deferred);
}

/// The first handler suspends and returns; the second begins when it does, away from any input, and
/// waits far too long.
class Late : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse&) override {
    co_await wait(context, 5ms);
  }
  Task<> process_response_headers(const HttpHeaders&, Context& context, Request&,
                                  HeadersResponse& response) override {
    response.fall_back_after(1h, ImmediateResponse{.status = 503});
    co_await wait(context, 10h);
  }
};

class LateHandlerTest : public ServerTest {
 protected:
  LateHandlerTest() {
    settings.reveal_chain = false;
    settings.threads = 1;
  }
};

TEST_F(LateHandlerTest, IsWokenWhereItBeganBehindAnotherHandler) {
  settings.filter.message_timeout = 60ms;
  settings.filter.max_message_timeout = 80ms;
  Server& server = start(Service::make<Late>());
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  client.peer.send_message(id, kRequestHeaders);
  client.peer.send_message(id, kResponseHeaders);
  ASSERT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
  const auto answers = client.stream(id).messages();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(describe(answers[0]), "request_headers");
  EXPECT_EQ(describe(answers[1]), "more-time 80ms");
  EXPECT_EQ(describe(answers[2]), "immediate 503");
  EXPECT_EQ(client.stream(id).grpc_status(), "0");
  EXPECT_TRUE(eventually([&] { return server.stats().streams_open == 0; }));
  const Stats stats = server.stats();
  EXPECT_EQ(stats.time_extensions, 1U);
  EXPECT_EQ(stats.fallbacks, 1U);
  EXPECT_EQ(stats.immediate_responses, 1U);
  // The handler's own answer, which came with its cancellation, was late.
  EXPECT_EQ(stats.misused_answers, 1U);
  EXPECT_EQ(stats.early_ends, 0U);
}

class HostRemover : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.remove_header("host");
  }
};

TEST_F(LateHandlerTest, EndsEarlyAndCountsIt) {
  for (const bool early : {true, false}) {
    settings.early_end = early;
    Server& server = start(Service::make<HostRemover>());
    SocketClient client = connect();
    const auto id = client.call(kProcess, std::string(kRequestHeaders) + std::string(kNoBodies));
    if (early) {
      ASSERT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
      EXPECT_EQ(client.stream(id).grpc_status(), "0");
    } else {
      // The next message is answered, so that the stream is known to be open.
      client.peer.send_message(id, kResponseHeaders);
      ASSERT_TRUE(client.talk_until([&] { return client.stream(id).messages().size() == 2; }));
      EXPECT_FALSE(client.stream(id).closed);
    }
    EXPECT_EQ(server.stats().early_ends, early ? 1U : 0U);
    EXPECT_EQ(server.stats().misused_answers, 1U);
    EXPECT_EQ(server.stats().streams_failed, 0U);
  }
}

TEST_F(LateHandlerTest, AsksForTheModesThatItNeeds) {
  settings.automatic_mode_override = true;
  start(Service::make<HostRemover>());
  SocketClient client = connect();
  const auto id = client.call(kProcess, std::string(kRequestHeaders) + std::string(kNoBodies));
  EXPECT_THAT(describe(client.stream(id).messages().front()),
              ::testing::HasSubstr("mode{response_headers=2"));
}

// A body's handler that the reader's window stops goes on when there is room.
class Multiplier : public AsyncProcessor {
 public:
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    while (auto chunk = co_await body.read()) {
      for (int i = 0; i < 100; ++i) {
        body.write(std::string(10'000, chunk->body().front()));
        co_await body.writable();
      }
    }
  }
};

TEST_F(LateHandlerTest, WritesAsMuchAsIsTaken) {
  settings.limits.queued_bytes_per_stream = 50'000;
  start(Service::make<Multiplier>());
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  // request_body { body: "x" }, then "y" with end_of_stream; FULL_DUPLEX_STREAMED.
  client.peer.send_message(id, std::string("\x22\x03\x0a\x01x\x5a\x02\x08\x04", 9));
  client.peer.send_message(id, std::string("\x22\x05\x0a\x01y\x10\x01", 7));
  ASSERT_TRUE(client.talk_until([&] { return client.stream(id).messages().size() == 201; }));
  const auto answers = client.stream(id).messages();
  const auto expected = [](char c) {
    return "request_body streamed=\"" + std::string(10'000, c) + "\"";
  };
  for (std::size_t i = 0; i < 200; ++i)
    ASSERT_EQ(describe(answers[i]), expected(i < 100 ? 'x' : 'y')) << i;
  EXPECT_EQ(describe(answers[200]), "request_body streamed=\"\",end");
}

}  // namespace
}  // namespace extproc::server::testing
