// The level of a server's log while it runs.
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

class LogLevelTest : public ServerTest {
 protected:
  LogLevelTest() {
    settings.log_level = LogLevel::warning;
    settings.threads = 1;
  }

  std::ptrdiff_t lines(std::string_view text) {
    const auto all = log();
    return std::ranges::count_if(
        all, [&](const auto& line) { return line.find(text) != std::string::npos; });
  }
  /// One request, which is over.
  void request(SocketClient& client) { client.call(kProcess, kRequestHeaders); }
};

TEST_F(LogLevelTest, CountsForWhatFollows) {
  Server& server = start();
  SocketClient client = connect();
  request(client);
  EXPECT_EQ(lines("DEBUG"), 0);
  server.set_log_level(LogLevel::debug);
  EXPECT_EQ(lines("logs at DEBUG, and not at WARNING any more (program)"), 1);
  // The calls of the connection are used again; those made before would tell nothing.
  request(client);
  const auto told = lines("DEBUG");
  EXPECT_GT(told, 0);
  request(client);
  EXPECT_GT(lines("DEBUG"), told);
  server.set_log_level(LogLevel::error);
  EXPECT_EQ(lines("logs at ERROR"), 1);
  const auto before = log().size();
  request(client);
  EXPECT_EQ(log().size(), before);
  server.set_log_level(LogLevel::error);
  EXPECT_EQ(log().size(), before);
}

TEST_F(LogLevelTest, RequestsUnderWayGoOn) {
  settings.early_end = false;
  Server& server = start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::debug}) {
    server.set_log_level(level);
    request(client);
  }
  EXPECT_FALSE(client.stream(id).closed);
  EXPECT_EQ(server.stats().streams_open, 4U);
  client.peer.end(id);
  EXPECT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(client.stream(id).grpc_status(), "0");
}

}  // namespace
}  // namespace extproc::server::testing
