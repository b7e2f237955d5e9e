// Servers over TLS, in a program: each service with a transport of its own, and files that change.
#include "extproc/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/unique_fd.h"
#include "extproc/error.h"
#include "extproc/processor.h"
#include "extproc/tls.h"
#include "test_authority.h"
#include "tls/client_stream.h"

namespace extproc::tls {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

UniqueFd connected(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Error("nothing listens");
  return fd;
}

class ServersOverTls : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("extproc-servers-" + std::to_string(::getpid()));
    fs::create_directory(folder_);
    std::ofstream(folder_ / "ca.pem") << ca_.certificate();
    settings_.listen = "127.0.0.1:0";
    settings_.log_level = LogLevel::off;
  }
  void TearDown() override { fs::remove_all(folder_); }

  TlsSettings named(const std::string& name) {
    const Pair pair = ca_.issue({.names = "DNS:" + name});
    TlsSettings tls;
    tls.certificate = pair.certificate;
    tls.key = pair.key;
    return tls;
  }

  /// Empty, or why the server is not the one with that name.
  std::string problem(int port, const std::string& name) const {
    try {
      const UniqueFd fd = connected(port);
      ClientStream client({.ca_file = folder_ / "ca.pem", .server_name = name});
      std::string text;
      // Until its SETTINGS have come.
      while (text.empty()) {
        const std::string out = client.take_output();
        if (!out.empty()) static_cast<void>(::send(fd.get(), out.data(), out.size(), MSG_NOSIGNAL));
        std::array<char, 4096> in{};
        const ssize_t size = ::recv(fd.get(), in.data(), in.size(), 0);
        if (size <= 0) return "the end";
        client.receive({in.data(), static_cast<std::size_t>(size)}, text);
      }
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  TestAuthority ca_{"ca"};
  fs::path folder_;
  Settings settings_;
};

TEST_F(ServersOverTls, AServiceHasTheTransportOfTheSettingsOrItsOwn) {
  settings_.transport = tls_transport(named("all.example"));
  Server first(Service::make<BaseExtProcService>(), settings_);
  Server second(Service::make<BaseExtProcService>().over(tls_transport(named("own.example"))),
                settings_);
  first.start();
  second.start();
  EXPECT_EQ(problem(first.port(), "all.example"), "");
  EXPECT_EQ(problem(second.port(), "own.example"), "");
  EXPECT_THAT(problem(second.port(), "all.example"), ::testing::HasSubstr("own.example"));
  EXPECT_EQ(first.stats().tls_handshakes, 1U);
}

TEST_F(ServersOverTls, FilesAreReadAnewWhenAsked) {
  const auto write = [&](const std::string& name) {
    const Pair pair = ca_.issue({.names = "DNS:" + name});
    std::ofstream(folder_ / "tls.crt") << pair.certificate;
    std::ofstream(folder_ / "tls.key") << pair.key;
  };
  write("old.example");
  TlsSettings tls;
  tls.certificate_file = folder_ / "tls.crt";
  tls.key_file = folder_ / "tls.key";
  settings_.transport = tls_transport(tls);
  Server server(Service::make<BaseExtProcService>(), settings_);
  server.start();
  EXPECT_EQ(problem(server.port(), "old.example"), "");
  write("new.example");
  server.reload();
  for (int i = 0; i < 500 && !problem(server.port(), "new.example").empty(); ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(problem(server.port(), "new.example"), "");
  EXPECT_EQ(server.stats().tls_reloads, 1U);
}

TEST_F(ServersOverTls, OneThatIsCrowdedEndsTheOldestHandshake) {
  settings_.transport = tls_transport(named("a.example"));
  settings_.threads = 1;
  settings_.limits.handshakes = 2;
  Server server(Service::make<BaseExtProcService>(), settings_);
  server.start();
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 5; ++i) slow.push_back(connected(server.port()));
  for (int i = 0; i < 3; ++i) {
    char byte = 0;
    EXPECT_LE(::recv(slow[i].get(), &byte, 1, 0), 0) << i;
  }
  pollfd waiting{.fd = slow.back().get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waiting, 1, 50), 0);
  EXPECT_EQ(problem(server.port(), "a.example"), "");
  EXPECT_GE(server.stats().tls_handshakes_failed, 3U);
}

TEST_F(ServersOverTls, AHandshakeHasItsTime) {
  settings_.transport = tls_transport(named("a.example"));
  settings_.limits.handshake_timeout = 100ms;
  Server server(Service::make<BaseExtProcService>(), settings_);
  server.start();
  const UniqueFd slow = connected(server.port());
  const std::string begun("\x16\x03\x01\x02\x00\x01", 6);
  ASSERT_EQ(::send(slow.get(), begun.data(), begun.size(), 0), 6);
  char byte = 0;
  EXPECT_LE(::recv(slow.get(), &byte, 1, 0), 0);
  EXPECT_EQ(server.stats().tls_handshakes_failed, 1U);
}

}  // namespace
}  // namespace extproc::tls
