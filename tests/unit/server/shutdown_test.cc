// The graceful end of a server, seen from its clients.
#include <gmock/gmock.h>

#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class ShutdownTest : public ServerTest {
 protected:
  ShutdownTest() {
    settings.drain_delay = 0ms;
    settings.grace_period = 1h;
  }

  /// The last notice of a connection: no more streams than those that the server has seen.
  static bool final_goaway(const SocketClient& client) {
    return client.peer.goaways().size() == 2 && client.peer.goaways().back().first < 0x7FFF'FFFF;
  }
};

TEST_F(ShutdownTest, NothingIsConnected) {
  // The delay would be for nobody.
  settings.drain_delay = 1h;
  Server& server = start();
  const int port = server.port();
  server.shutdown();
  server.join();
  EXPECT_FALSE(accepts_connections(port));
}

TEST_F(ShutdownTest, WatchesAreToldAndEnd) {
  Server& server = start();
  SocketClient client = connect();
  const auto watch = client.call(kWatch, "");
  server.shutdown();
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_THAT(client.stream(watch).messages(), ElementsAre(kServing, kNotServing));
  EXPECT_EQ(client.stream(watch).grpc_status(), "14");
  server.join();
}

TEST_F(ShutdownTest, AnIdleConnectionIsToldAndCloses) {
  Server& server = start();
  const auto client = connected();
  server.shutdown();
  EXPECT_TRUE(client->talk_until_closed());
  // The client has no use for the second, so that it does not tell of it.
  ASSERT_FALSE(client->peer.goaways().empty());
  EXPECT_EQ(client->peer.goaways().front().first, 0x7FFF'FFFF);
  server.join();
}

TEST_F(ShutdownTest, AnOpenStreamFinishes) {
  Server& server = start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  server.shutdown();
  ASSERT_TRUE(client.talk_until([&] { return final_goaway(client); }));
  EXPECT_FALSE(accepts_connections(server.port()));
  client.peer.end(id);
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_EQ(client.stream(id).grpc_status(), "0");
  server.join();
}

TEST_F(ShutdownTest, StreamsThatOutlastTheGracePeriodEndWithUnavailable) {
  Server& server = start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  server.shutdown(50ms);
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_EQ(client.stream(id).grpc_status(), "14");
  EXPECT_EQ(client.stream(id).grpc_message(), "server is shutting down");
  server.join();
}

TEST_F(ShutdownTest, APeerThatAnswersNothingIsNotWaitedForLongerThanTheGracePeriod) {
  Server& server = start();
  const auto client = connected();
  server.shutdown(50ms);
  server.join();
}

TEST_F(ShutdownTest, NewConnectionsAreServedDuringTheDelay) {
  settings.drain_delay = 1h;
  Server& server = start();
  const auto first = connected();
  server.shutdown();
  ASSERT_TRUE(first->talk_until([&] { return !first->peer.goaways().empty(); }));

  SocketClient second = connect();
  EXPECT_THAT(second.stream(second.call(kCheck, "")).messages(), ElementsAre(kNotServing));
  const auto id = second.call(kProcess, kRequestHeaders);
  EXPECT_TRUE(second.peer.goaways().empty());

  server.shutdown(0ms);
  EXPECT_TRUE(second.talk_until_closed());
  EXPECT_EQ(second.stream(id).grpc_status(), "14");
  server.join();
}

TEST_F(ShutdownTest, AConnectionThatCameDuringTheDelayLosesNoStream) {
  settings.drain_delay = 50ms;
  Server& server = start();
  const auto first = connected();
  server.shutdown();
  ASSERT_TRUE(first->talk_until([&] { return !first->peer.goaways().empty(); }));
  SocketClient second = connect();
  const auto id = second.call(kProcess, kRequestHeaders);
  EXPECT_TRUE(first->talk_until_closed());
  ASSERT_TRUE(second.talk_until([&] { return final_goaway(second); }));
  second.peer.end(id);
  EXPECT_TRUE(second.talk_until_closed());
  EXPECT_EQ(second.stream(id).grpc_status(), "0");
  server.join();
}

TEST_F(ShutdownTest, ALaterCallOnlyShortens) {
  Server& server = start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  server.shutdown();
  server.shutdown(20ms);
  server.shutdown(1h);
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_EQ(client.stream(id).grpc_status(), "14");
  server.join();
  server.shutdown();
  server.join();
}

TEST_F(ShutdownTest, ManyConnections) {
  settings.threads = 4;
  Server& server = start();
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(connected());
    clients.back()->call(kProcess, kRequestHeaders);
  }
  server.shutdown(50ms);
  for (const auto& client : clients) EXPECT_TRUE(client->talk_until_closed());
  server.join();
  EXPECT_EQ(server.stats().connections_open, 0U);
  EXPECT_EQ(server.stats().streams_open, 0U);
}

}  // namespace
}  // namespace extproc::server::testing
