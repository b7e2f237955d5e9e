// A server as its embedder sees it.
#include "extproc/server.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "extproc/error.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(ServerTest, ServesHealthAndTheProcessor) {
  start();
  SocketClient client = connect();
  EXPECT_THAT(client.stream(client.call(kCheck, "")).messages(), ElementsAre(kServing));
  EXPECT_EQ(client.stream(client.call(kProcess, kRequestHeaders)).messages().size(), 1U);
}

TEST_F(ServerTest, TellsWhereItListens) {
  const Server& server = start();
  EXPECT_GT(server.port(), 0);
  EXPECT_EQ(server.address(), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(server.name(), "BaseExtProcService");
  EXPECT_THAT(
      log(), Contains("INFO BaseExtProcService listening on " + server.address() + " (2 threads)"));
}

TEST_F(ServerTest, ListensOnAllInterfacesByDefault) {
  settings.listen.reset();
  settings.port = 0;
  const Server& server = start();
  EXPECT_THAT(server.address(), ::testing::AnyOf(StartsWith("[::]:"), StartsWith("0.0.0.0:")));
  SocketClient client = connect();
  client.call(kCheck, "");
}

TEST_F(ServerTest, ListensOnAUnixSocket) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/socket";
  settings.listen = "unix:" + path;
  Server& server = start();
  EXPECT_EQ(server.port(), 0);
  EXPECT_EQ(server.address(), "unix:" + path);
  {
    SocketClient client(path);
    client.call(kProcess, kRequestHeaders);
  }
  server.shutdown();
  server.join();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ServerTest, AServicesOwnAddressWins) {
  settings.listen = "unix:/no/such/folder/socket";
  start(Service::make<BaseExtProcService>().on("127.0.0.1:0"));
  EXPECT_GT(server_->port(), 0);
}

TEST_F(ServerTest, APortInUseIsAnError) {
  start();
  settings.listen = server_->address();
  Server second(Service::make<BaseExtProcService>(), settings);
  EXPECT_THROW(second.start(), Error);
}

TEST_F(ServerTest, WrongSettingsAreRefusedBeforeTheStart) {
  settings.limits.message_bytes = 0;
  EXPECT_THROW(Server(Service::make<BaseExtProcService>(), settings), Error);
}

TEST_F(ServerTest, StartsOnce) { EXPECT_THROW(start().start(), Error); }

TEST_F(ServerTest, NotStarted) {
  Server server(Service::make<BaseExtProcService>(), settings);
  EXPECT_THROW(server.port(), Error);
  server.shutdown();
  server.join();
  EXPECT_EQ(server.stats().connections_open, 0U);
}

TEST_F(ServerTest, EndsWithItsObject) {
  start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  server_.reset();
  EXPECT_TRUE(client.talk_until_closed());
  EXPECT_EQ(client.stream(id).grpc_status(), "14");
}

TEST_F(ServerTest, Counts) {
  const Server& server = start();
  {
    SocketClient client = connect();
    const auto id = client.call(kProcess, kRequestHeaders);
    EXPECT_EQ(server.stats().connections_accepted, 1U);
    EXPECT_EQ(server.stats().connections_open, 1U);
    EXPECT_EQ(server.stats().streams_started, 1U);
    EXPECT_EQ(server.stats().streams_open, 1U);
    client.peer.reset(id);
    client.send_only();
    EXPECT_TRUE(eventually([&] { return server.stats().streams_open == 0; }));
  }
  EXPECT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
  EXPECT_EQ(server.stats().messages, 1U);
  EXPECT_EQ(server.stats().streams_failed, 0U);
}

TEST_F(ServerTest, ALogSinkThatThrowsHarmsNothing) {
  settings.log = [](LogLevel, std::string_view) { throw std::runtime_error("no disk"); };
  start();
  SocketClient client = connect();
  client.call(kCheck, "");
}

}  // namespace
}  // namespace extproc::server::testing
