// An HTTP client whose servers end, say nothing, too much, or no HTTP; and what goes while it is
// asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "blocks/client_asking.h"
#include "blocks/http_peer.h"
#include "extproc/client.h"

namespace extproc::client {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST(Client, AConnectionThatEndedMeanwhileIsNotUsed) {
  HttpPeer peer(always(ok("a")));
  Client client;
  Loop loop;
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  peer.hang_up();
  EXPECT_EQ(loop.ask(client, {.method = "POST", .url = peer.url()}), "200 a");
  EXPECT_EQ(peer.connections(), 2);
}

TEST(Client, WhatTurnsOutToHaveEndedIsSentOnceMoreWhereThatIsSafe) {
  // The second request of a connection ends it without an answer.
  const auto answering = [] {
    const auto last = std::make_shared<std::atomic<int>>(0);
    return [last](const std::string&, int connection) -> Answer {
      if (last->exchange(connection) == connection) return {.closes = true};
      return {.bytes = ok(std::to_string(connection))};
    };
  };
  for (const std::string method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    HttpPeer peer(answering());
    Client client;
    Loop loop;
    EXPECT_EQ(loop.get(client, peer.url()), "200 1");
    EXPECT_EQ(loop.ask(client, {.method = method, .url = peer.url()}),
              method == "HEAD" ? "200 " : "200 2");
  }
  for (const std::string method : {"POST", "PATCH", "SEARCH"}) {
    HttpPeer peer(answering());
    Client client;
    Loop loop;
    EXPECT_EQ(loop.get(client, peer.url()), "200 1");
    EXPECT_EQ(loop.ask(client, {.method = method, .url = peer.url()}), "!closed+");
    EXPECT_EQ(peer.connections(), 1);
  }
  // A new connection that does so is no reason to try again.
  HttpPeer peer([](const std::string&, int) { return Answer{.closes = true}; });
  Client client;
  Loop loop;
  EXPECT_EQ(loop.get(client, peer.url()), "!closed+");
  EXPECT_EQ(peer.connections(), 1);
}

TEST(Client, ResponsesAreBounded) {
  HttpPeer peer([](const std::string& request, int) -> Answer {
    const std::string many(2000, 'x');
    if (request.starts_with("GET /head")) return {.bytes = ok("", "x: " + many + "\r\n")};
    if (request.starts_with("GET /length")) return {.bytes = ok(many)};
    if (request.starts_with("GET /end")) {
      return {.bytes = "HTTP/1.1 200 OK\r\n\r\n" + many, .closes = true};
    }
    if (request.starts_with("GET /extension")) {
      return {.bytes = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;" +
                       std::string(200'000, 'x')};
    }
    if (request.starts_with("GET /hints")) {
      std::string hints;
      for (int i = 0; i < 20; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
      return {.bytes = hints + ok("")};
    }
    return {.bytes = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n" + many +
                     "\r\n0\r\n\r\n"};
  });
  Client client({.head_bytes = 1000, .body_bytes = 1999});
  Loop loop;
  for (const char* path : {"/head", "/length", "/end", "/extension", "/chunks"}) {
    EXPECT_EQ(loop.get(client, peer.url(path)), "!size+") << path;
  }
  EXPECT_EQ(loop.get(client, peer.url("/hints")), "!protocol+");
  Client larger({.body_bytes = 2000});
  EXPECT_EQ(loop.get(larger, peer.url("/chunks")).size(), 2004U);
}

TEST(Client, WhatIsNoHttpIsSaidToBeNone) {
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"SSH-2.0-OpenSSH\r\n\r\n", "!protocol+"},
      {"HTTP/2.0 200 OK\r\n\r\n", "!protocol+"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na", "!protocol+"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
       "!protocol+"},
      {"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", "!protocol+"},
      {"HTTP/1.1 200 OK\r\ncontent-le", "!closed+"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "!closed+"},
      {"", "!closed+"},
  };
  for (const auto& [bytes, outcome] : answers) {
    HttpPeer peer([&](const std::string&, int) { return Answer{.bytes = bytes, .closes = true}; });
    Client client;
    Loop loop;
    EXPECT_EQ(loop.get(client, peer.url()), outcome) << bytes;
  }
}

TEST(Client, NobodyWaitsForEver) {
  HttpPeer peer([](const std::string& request, int) -> Answer {
    if (request.starts_with("GET /body")) {
      return {.bytes = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", .after = 0ms};
    }
    return {.bytes = ok("late"), .after = 10s};
  });
  // Long enough to connect on a busy machine.
  Client client({.time = 400ms});
  Loop loop;
  EXPECT_EQ(loop.get(client, peer.url()), "!time+");
  EXPECT_EQ(loop.get(client, peer.url("/body")), "!time+");
  Client patient;
  EXPECT_EQ(loop.ask(patient, {.url = peer.url(), .time = 400ms}), "!time+");
  EXPECT_EQ(peer.connections(), 3) << "what is late is not used again";

  // One that accepts, and says nothing to the handshake.
  asio::io_context io;
  const asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  Client hasty({.connect_time = 30ms});
  const std::string url = "https://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  EXPECT_EQ(loop.get(hasty, url), "!time");
}

TEST(Client, NobodyThere) {
  unsigned short port = 0;
  {
    asio::io_context io;
    port =
        asio::ip::tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
  }
  Client client;
  Loop loop;
  EXPECT_EQ(loop.get(client, "http://127.0.0.1:" + std::to_string(port)), "!connect");
  // Where names are slow to be none, time is over first.
  EXPECT_THAT(loop.get(client, "http://name.invalid/"), ::testing::AnyOf("!name", "!time"));
}

TEST(Client, LoopsComeAndGo) {
  HttpPeer peer(always(ok("a")));
  Client client;
  for (int i = 0; i < 3; ++i) {
    Loop loop;
    EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  }
  EXPECT_EQ(peer.connections(), 3);
}

TEST(Client, ALoopCanEndWithRequestsUnderWay) {
  HttpPeer peer([](const std::string&, int) { return Answer{.bytes = ok("a"), .after = 10s}; });
  Client client({.connections = 1});
  std::vector<std::string> outcomes(3);
  {
    Loop loop;
    for (std::string& outcome : outcomes) {
      asio::co_spawn(loop.io, ask_into(client, {.url = peer.url()}, outcome), asio::detached);
    }
    loop.io.run_for(30ms);
  }
  EXPECT_EQ(outcomes, std::vector<std::string>(3));
}

TEST(Client, ItCanGoWithRequestsUnderWay) {
  HttpPeer peer([](const std::string&, int) { return Answer{.bytes = ok("a"), .after = 10s}; });
  auto client = std::make_unique<Client>(Settings{.connections = 1});
  std::vector<std::string> outcomes(2);
  Loop loop;
  for (std::string& outcome : outcomes) {
    asio::co_spawn(loop.io, ask_into(*client, {.url = peer.url()}, outcome), asio::detached);
  }
  loop.io.run_for(30ms);
  std::thread([&] { client.reset(); }).join();
  loop.io.run();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"!shut_down+", "!shut_down"}));
}

}  // namespace
}  // namespace extproc::client
