// What a server's log tells an operator: clients that are set up wrong, limits by their names, and
// streams that the end of the grace period cuts.
#include <gmock/gmock.h>

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class ToldTest : public ServerTest {
 protected:
  /// A client that sends these bytes and nothing else, and has been answered.
  void visit(std::string_view bytes) {
    SocketClient client = connect();
    client.send_bytes(bytes);
    EXPECT_TRUE(client.talk_until_closed() || client.failed());
  }

  std::ptrdiff_t warnings(std::string_view text) {
    const auto lines = log();
    return std::ranges::count_if(lines, [&](const auto& line) {
      return line.starts_with("WARNING") && line.find(text) != std::string::npos;
    });
  }
};

TEST_F(ToldTest, WhatSpeaksAnotherProtocolIsNamedOnce) {
  start();
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (int i = 0; i < 3; ++i) {
    visit(hello);
    visit("POST /envoy HTTP/1.1\r\nhost: a\r\n\r\n");
    visit("\x01\x02\x03\x04");
  }
  EXPECT_EQ(warnings("TLS ClientHello"), 1);
  EXPECT_EQ(warnings("http2_protocol_options"), 1);
  EXPECT_EQ(warnings("no HTTP/2 connection preface"), 1);
}

TEST_F(ToldTest, ALimitIsTold) {
  settings.limits.message_bytes = 1'000;
  start();
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  client.peer.send_message(id, std::string(1'001, 'x'));
  EXPECT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
  EXPECT_EQ(client.stream(id).grpc_status(), "8");
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("WARNING"), HasSubstr("1001 bytes"),
                                    HasSubstr("Limits::message_bytes"))));
}

TEST_F(ToldTest, TheStreamsThatTheGracePeriodCutsAreCounted) {
  settings.drain_delay = 0ms;
  settings.grace_period = 50ms;
  settings.early_end = false;
  Server& server = start();
  SocketClient client = connect();
  client.call(kProcess, kRequestHeaders);
  client.call(kProcess, kRequestHeaders);
  server.shutdown();
  EXPECT_TRUE(client.talk_until_closed());
  server.join();
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("WARNING"), HasSubstr("grace period is over"),
                                    HasSubstr("2 streams are ended"))));
}

TEST_F(ToldTest, AnEndInTimeTellsOfNoStreams) {
  settings.drain_delay = 0ms;
  settings.grace_period = 1h;
  Server& server = start();
  SocketClient client = connect();
  client.call(kCheck, "");
  server.shutdown();
  EXPECT_TRUE(client.talk_until_closed());
  server.join();
  EXPECT_THAT(log(), Not(Contains(HasSubstr("grace period is over"))));
}

}  // namespace
}  // namespace extproc::server::testing
