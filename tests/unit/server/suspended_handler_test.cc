// Handlers that still run when their connection, or their server, has ended.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <coroutine>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "extproc/async.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using ::testing::Contains;
using namespace std::chrono_literals;

/// kRequestHeaders with x-request-id: id-1.
constexpr std::string_view kNamedRequest =
    "\x12\x18\x0a\x16\x0a\x14\x0a\x0cx-request-id\x1a\x04id-1";

/// Its handler waits until the test lets it go.
class Waiting : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse&) override {
    entered = true;
    // Unlike an operation of Asio, this does not end when it is cancelled.
    auto wait = [this, &context] {
      while (!released) {
        caller = std::string(context.metadata("x-caller").value_or("nobody"));
        EXPECT_THAT(context.peer(), ::testing::StartsWith("127.0.0.1:"));
        EXPECT_FALSE(context.deadline());
        cancelled = context.cancelled();
        std::this_thread::sleep_for(1ms);
      }
    };
    co_await offload(std::move(wait));
    returned = true;
  }

  std::atomic<bool> entered = false;
  std::atomic<bool> cancelled = false;
  std::atomic<bool> released = false;
  std::atomic<bool> returned = false;
  std::string caller;  // once it has returned
};

class SuspendedHandlerTest : public ServerTest {
 protected:
  void enter(SocketClient& client) {
    const auto id = client.peer.open_call(kProcess, {{"x-caller", "the test"}});
    client.peer.send_message(id, kNamedRequest);
    ASSERT_TRUE(client.talk_until([&] { return processor_->entered.load(); }));
  }

  const std::shared_ptr<Waiting> processor_ = std::make_shared<Waiting>();
};

TEST_F(SuspendedHandlerTest, AServerWaitsForIt) {
  Server& server = start(Service(processor_));
  SocketClient client = connect();
  enter(client);
  server.shutdown(0ms);
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_TRUE(eventually([&] { return processor_->cancelled.load(); }));
  EXPECT_FALSE(processor_->returned);

  std::thread joiner([&] { server.join(); });
  processor_->released = true;
  joiner.join();
  EXPECT_TRUE(processor_->returned);
}

TEST_F(SuspendedHandlerTest, IsNamedWhenTheGracePeriodIsOver) {
  Server& server = start(Service(processor_));
  SocketClient client = connect();
  enter(client);
  server.shutdown(0ms);
  std::thread joiner([&] { server.join(); });
  EXPECT_TRUE(eventually([&] {
    const auto lines = log();
    return std::ranges::find(lines,
                             "ERROR still running: Waiting: request_headers of request id-1") !=
           lines.end();
  }));
  EXPECT_THAT(log(), Contains("ERROR Waiting: the grace period is over, and 1 handler has not "
                              "returned"));
  processor_->released = true;
  joiner.join();
  EXPECT_TRUE(processor_->returned);
}

/// Its handler waits for something that is not Asio's, and never comes.
class Stuck : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse&) override {
    entered = true;
    const std::suspend_always never;
    co_await never;
  }

  std::atomic<bool> entered = false;
};

/// serve() with a handler that never returns; ends the process.
void serve_with_stuck_handler() {
  const auto processor = std::make_shared<Stuck>();
  std::atomic<int> port{0};
  Settings settings;
  settings.listen = "127.0.0.1:0";
  settings.threads = 1;
  settings.grace_period = 100ms;
  settings.log_level = LogLevel::info;
  settings.log = [&port](LogLevel level, std::string_view line) {
    constexpr std::string_view kListening = "listening on 127.0.0.1:";
    if (const auto at = line.find(kListening); at != std::string_view::npos)
      port = std::stoi(std::string(line.substr(at + kListening.size())));
    if (level >= LogLevel::error) std::fprintf(stderr, "%s\n", std::string(line).c_str());
  };
  std::jthread client([&] {
    if (!eventually([&] { return port != 0; })) std::_Exit(2);
    SocketClient socket(port);
    const auto id = socket.peer.open_call(kProcess, {});
    socket.peer.send_message(id, kNamedRequest);
    if (!socket.talk_until([&] { return processor->entered.load(); })) std::_Exit(3);
    std::raise(SIGTERM);
  });
  serve(Service(processor), settings);
  std::_Exit(4);
}

TEST(ServeDeathTest, EndsWithoutAHandlerThatNeverReturnsAndNamesIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(serve_with_stuck_handler(), ::testing::ExitedWithCode(1),
              "Stuck: the grace period is over, and 1 handler has not returned\n"
              "still running: Stuck: request_headers of request id-1\n"
              "the process ends without the handlers that have not returned");
}

/// Keeps its one thread until the test lets it go.
class Blocker : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
    ++calls;
    while (!released) std::this_thread::sleep_for(1ms);
  }
  bool blocking() const override { return true; }

  std::atomic<int> calls = 0;
  std::atomic<bool> released = false;
};

TEST_F(SuspendedHandlerTest, ThoseThatHaveNotBegunDoNotKeepAServer) {
  constexpr int kStreams = 200;
  settings.threads = 1;
  settings.blocking_threads = 1;
  settings.filter.message_timeout = 1h;
  const auto blocker = std::make_shared<Blocker>();
  Server& server = start(Service(blocker));
  SocketClient client = connect();
  for (int i = 0; i < kStreams; ++i) {
    const auto id = client.peer.open_call(kProcess, {});
    client.peer.send_message(id, kRequestHeaders);
  }
  EXPECT_TRUE(client.talk_until(
      [&] { return blocker->calls == 1 && server.stats().streams_open == kStreams; }));
  server.shutdown(0ms);
  // All but the one that runs are over while it does.
  EXPECT_TRUE(eventually([&] { return server.stats().streams_open == 1; }));
  blocker->released = true;
  server.join();
  EXPECT_EQ(blocker->calls, 1);
  EXPECT_EQ(server.stats().refused_jobs, 0U);
}

TEST_F(SuspendedHandlerTest, ThoseThatHaveNotBegunAreForgottenWithTheirStreams) {
  constexpr int kStreams = 50;
  settings.threads = 1;
  settings.blocking_threads = 1;
  settings.blocking_queue = 1;
  const auto blocker = std::make_shared<Blocker>();
  Server& server = start(Service(blocker));
  SocketClient client = connect();
  const auto first = client.peer.open_call(kProcess, {});
  client.peer.send_message(first, kRequestHeaders);
  EXPECT_TRUE(client.talk_until([&] { return blocker->calls == 1; }));
  for (int i = 0; i < kStreams; ++i) {
    const auto id = client.peer.open_call(kProcess, {});
    client.peer.send_message(id, kRequestHeaders);
    ASSERT_TRUE(client.talk_until([&] { return server.stats().streams_open == 2; }));
    client.peer.reset(id);
    ASSERT_TRUE(client.talk_until([&] { return server.stats().streams_open == 1; }));
  }
  // None of them was over the bound of one, and none has run.
  EXPECT_EQ(server.stats().refused_jobs, 0U);
  blocker->released = true;
  server.shutdown(0ms);
  server.join();
  EXPECT_EQ(blocker->calls, 1);
}

TEST_F(SuspendedHandlerTest, OutlivesItsConnection) {
  start(Service(processor_));
  {
    SocketClient client = connect();
    enter(client);
  }
  EXPECT_TRUE(eventually([&] { return processor_->cancelled.load(); }));
  processor_->released = true;
  EXPECT_TRUE(eventually([&] { return processor_->returned.load(); }));
  EXPECT_EQ(processor_->caller, "the test");
  connected();
}

TEST_F(SuspendedHandlerTest, LeavesItsThreadToOthers) {
  settings.threads = 1;
  start(Service(processor_));
  SocketClient client = connect();
  enter(client);
  connected();
  processor_->released = true;
}

}  // namespace
}  // namespace extproc::server::testing
