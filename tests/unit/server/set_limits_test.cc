// Limits that change while the server runs.
#include <gmock/gmock.h>

#include "extproc/error.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;

class SetLimits : public ServerTest {
 protected:
  /// What the server told a new connection.
  std::uint32_t told_streams(SocketClient& client) {
    return nghttp2_session_get_remote_settings(client.peer.native(),
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }
  /// How the answer to a message of so many bytes is, on a call of its own.
  static std::string status_of(SocketClient& client, std::size_t bytes) {
    const auto id = client.peer.open_call(kProcess, {});
    client.peer.send_message(id, std::string(kRequestHeaders) + message(bytes));
    client.talk_until(
        [&] { return client.stream(id).end_stream || !client.stream(id).messages().empty(); });
    return client.stream(id).grpc_status();
  }

 private:
  /// A field that nobody knows.
  static std::string message(std::size_t bytes) {
    std::string field("\xfa\x7f", 2);
    for (std::size_t left = bytes;; left >>= 7) {
      field += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
      if (left <= 0x7f) break;
    }
    return field + std::string(bytes, 'x');
  }
};

TEST_F(SetLimits, CountOnConnectionsThatAreOpen) {
  Server& server = start();
  const auto client = connected();
  EXPECT_EQ(status_of(*client, 5'000), "none");
  Limits limits;
  limits.message_bytes = 1'000;
  server.set_limits(limits);
  EXPECT_TRUE(eventually([&] { return status_of(*client, 5'000) == "8"; }));
  limits.message_bytes = 10'000;
  server.set_limits(limits);
  EXPECT_TRUE(eventually([&] { return status_of(*client, 5'000) == "none"; }));
}

TEST_F(SetLimits, NewConnectionsAreTold) {
  Server& server = start();
  const auto before = connected();
  Limits limits;
  limits.streams_per_connection = 7;
  server.set_limits(limits);
  before->call(kCheck, "");
  EXPECT_EQ(told_streams(*before), Limits{}.streams_per_connection);
  EXPECT_TRUE(eventually([&] { return told_streams(*connected()) == 7; }));
}

TEST_F(SetLimits, AShorterTimeIsSeenByWhoWaits) {
  Server& server = start();
  const auto client = connected();
  Limits limits;
  limits.idle_timeout = 1ms;
  server.set_limits(limits);
  EXPECT_TRUE(client->talk_until_closed());
}

TEST_F(SetLimits, OfConnections) {
  Server& server = start();
  const auto busy = connected();
  busy->call(kProcess, kRequestHeaders);
  Limits limits;
  limits.connections = 1;
  server.set_limits(limits);
  EXPECT_TRUE(eventually([&] {
    SocketClient client = connect();
    client.peer.open_call(kCheck, {});
    return client.talk_until_closed();
  }));
  EXPECT_FALSE(busy->closed());
  EXPECT_GE(server.stats().connections_refused + server.stats().connections_displaced, 1U);
}

TEST_F(SetLimits, AMessageThatHasBegunMayGetAnyTime) {
  settings.limits.incomplete_message_timeout = 1h;
  Server& server = start();
  const auto client = connected();
  const auto id = client->peer.open_call(kProcess, {});
  client->peer.send(id, std::string("\0\0\0\0\x02\x12", 6));
  client->call(kCheck, "");
  Limits limits;
  limits.incomplete_message_timeout = 0ms;
  server.set_limits(limits);
  client->call(kCheck, "");
  client->peer.send(id, std::string("\0", 1));
  EXPECT_TRUE(client->talk_until([&] { return !client->stream(id).messages().empty(); }));
}

TEST_F(SetLimits, WrongOnesAreRefused) {
  Server& server = start();
  Limits limits;
  limits.streams_per_connection = 0;
  EXPECT_THROW(server.set_limits(limits), Error);
  const auto client = connected();
  EXPECT_EQ(told_streams(*client), Limits{}.streams_per_connection);
}

TEST_F(SetLimits, BeforeTheStart) {
  Server server(Service::make<BaseExtProcService>(), settings);
  Limits limits;
  limits.streams_per_connection = 9;
  server.set_limits(limits);
  server.start();
  SocketClient client(server.port());
  client.call(kCheck, "");
  EXPECT_EQ(told_streams(client), 9U);
}

}  // namespace
}  // namespace extproc::server::testing
