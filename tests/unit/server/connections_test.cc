// Single connections: which thread has them, what bounds them, how they fail.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "extproc/processor.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Notes on which thread it was called last.
class ThreadRecorder : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
    const std::lock_guard lock(mutex_);
    last_ = std::this_thread::get_id();
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
  }

  std::thread::id last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::thread::id last_;
};

TEST_F(ServerTest, AConnectionGoesToTheThreadWithTheFewest) {
  const auto recorder = std::make_shared<ThreadRecorder>();
  const Server& server = start(Service(recorder));
  std::map<std::thread::id, std::vector<std::unique_ptr<SocketClient>>> clients;
  const auto connect_one = [&] {
    auto client = std::make_unique<SocketClient>(server.port());
    client->call(kProcess, kRequestHeaders);
    clients[recorder->last()].push_back(std::move(client));
  };

  for (int i = 0; i < 4; ++i) connect_one();
  ASSERT_EQ(clients.size(), 2U);
  auto& [freed_thread, freed] = *clients.begin();
  auto& kept = clients.rbegin()->second;
  EXPECT_EQ(freed.size(), 2U);

  freed.clear();
  ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 2; }));
  for (int i = 0; i < 2; ++i) connect_one();
  EXPECT_EQ(freed.size(), 2U);
  EXPECT_EQ(kept.size(), 2U);
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreClosed) {
  settings.limits.connections = 2;
  const Server& server = start();
  auto first = connected();
  const auto second = connected();
  for (SocketClient* busy : {first.get(), second.get()}) {
    busy->call(kProcess, kRequestHeaders);
    // With the answer to what comes behind it the server is known to have noted the stream.
    busy->call(kCheck, "");
  }
  SocketClient third = connect();
  EXPECT_TRUE(third.talk_until_closed());
  EXPECT_THAT(log(), Contains(HasSubstr("connections are refused: 2 are open")));
  EXPECT_EQ(server.stats().connections_refused, 1U);

  first.reset();
  ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 1; }));
  connected();
  EXPECT_EQ(server.stats().connections_displaced, 0U);
}

TEST_F(ServerTest, TheConnectionThatIsIdleForTheLongestTimeMakesRoom) {
  settings.limits.connections = 3;
  // Between threads the order is that of what was read last.
  settings.threads = 1;
  const Server& server = start();
  const auto busy = connected();
  const auto stream = busy->call(kProcess, kRequestHeaders);
  const auto used_again = connected();
  const auto idlest = connected();
  used_again->call(kCheck, "");

  const auto fourth = connected();
  EXPECT_TRUE(idlest->talk_until_closed());
  ASSERT_FALSE(idlest->peer.goaways().empty());
  EXPECT_EQ(idlest->peer.goaways().back().second, NGHTTP2_NO_ERROR);
  EXPECT_THAT(log(), Contains(HasSubstr("idle connections end to make room for new ones: 3 ")));

  ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 3; }));
  const auto fifth = connected();
  EXPECT_TRUE(used_again->talk_until_closed());
  fourth->call(kCheck, "");
  busy->peer.end(stream);
  EXPECT_TRUE(busy->talk_until([&] { return busy->stream(stream).end_stream; }));
  EXPECT_EQ(server.stats().connections_displaced, 2U);
  EXPECT_EQ(server.stats().connections_refused, 0U);
  // Told once.
  EXPECT_THAT(log(), Contains(HasSubstr("make room for new ones")).Times(1));
}

TEST_F(ServerTest, AConnectionThatHasSaidNothingMakesRoom) {
  settings.limits.connections = 1;
  start();
  SocketClient silent = connect();
  silent.peer.take_output();
  ASSERT_TRUE(eventually([&] { return server_->stats().connections_open == 1; }));
  EXPECT_TRUE(eventually([&] {
    connect();
    return server_->stats().connections_displaced > 0;
  }));
  EXPECT_TRUE(silent.talk_until_closed());
}

/// Only one more file descriptor can be had.
class FewDescriptors {
 public:
  FewDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd lowest_free(::dup(STDERR_FILENO));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(lowest_free.get()) + 1;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(ServerTest, AnIdleConnectionMakesRoomWhereDescriptorsRunOut) {
  start();
  const auto busy = connected();
  busy->call(kProcess, kRequestHeaders);
  const auto idle = connected();
  {
    const FewDescriptors few;
    connected();
  }
  EXPECT_TRUE(idle->talk_until_closed());
  EXPECT_FALSE(idle->peer.goaways().empty());
  busy->call(kProcess, kRequestHeaders);
  EXPECT_THAT(log(), Contains(HasSubstr("cannot accept connections")));
}

TEST_F(ServerTest, AConnectionWithoutHandshakeIsClosed) {
  settings.limits.handshake_timeout = 20ms;
  start();
  SocketClient silent = connect();
  silent.peer.take_output();
  EXPECT_TRUE(silent.talk_until_closed());
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
}

TEST_F(ServerTest, AnIdleConnectionIsToldAndClosed) {
  settings.limits.idle_timeout = 20ms;
  start();
  SocketClient client = connect();
  client.call(kCheck, "");
  EXPECT_TRUE(client.talk_until_closed());
  ASSERT_FALSE(client.peer.goaways().empty());
  EXPECT_EQ(client.peer.goaways().front().second, NGHTTP2_NO_ERROR);
}

TEST_F(ServerTest, AConnectionWithAStreamIsNotIdle) {
  settings.limits.idle_timeout = 10ms;
  start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  // Many times its idle timeout, in which other connections are found to be idle.
  for (int i = 0; i < 3; ++i) {
    SocketClient idle = connect();
    idle.call(kCheck, "");
    EXPECT_TRUE(idle.talk_until_closed());
  }
  client.peer.end(id);
  EXPECT_TRUE(client.talk_until([&] { return client.stream(id).end_stream; }));
}

TEST_F(ServerTest, AnotherProtocolIsRefusedAndLogged) {
  start();
  SocketClient client = connect();
  client.peer.take_output();
  client.send_bytes("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_THAT(log(), Contains(StartsWith("WARNING connection from 127.0.0.1:")));
}

TEST_F(ServerTest, AReaderThatFallsBehindLosesNothing) {
  start();
  SocketClient client = connect();
  client.call(kCheck, "");
  // More than the buffers of both sockets hold, before anything is read.
  constexpr int kCalls = 10'000;
  std::vector<std::int32_t> ids;
  for (int i = 0; i < kCalls; ++i) {
    ids.push_back(client.peer.open_call(kCheck));
    client.peer.send_message(ids.back(), "", true);
    if (i % 100 == 0) client.send_only();
  }
  client.send_only();
  const auto all_answered = [&] {
    while (!ids.empty() && client.stream(ids.back()).end_stream) ids.pop_back();
    return ids.empty();
  };
  EXPECT_TRUE(client.talk_until(all_answered));
}

TEST_F(ServerTest, OneConnectionsEndLeavesTheOthers) {
  start();
  const auto stays = connected();
  for (int i = 0; i < 10; ++i) {
    SocketClient client = connect();
    client.call(kProcess, kRequestHeaders);
  }
  stays->call(kProcess, kRequestHeaders);
}

}  // namespace
}  // namespace extproc::server::testing
