// Handlers that still run when their connection, or their server, has ended.
#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>

#include "extproc/async.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;

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
    client.peer.send_message(id, kRequestHeaders);
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
