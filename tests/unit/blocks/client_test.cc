// An HTTP client against servers of all kinds: what goes out, what comes back, connections that are
// used again, and everything that can go wrong.
#include "extproc/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "blocks/client_asking.h"
#include "blocks/http_peer.h"
#include "extproc/async.h"
#include "extproc/error.h"
#include "extproc/testing.h"

namespace extproc::client {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST(Client, SendsWhatItIsGivenAndGivesWhatComes) {
  HttpPeer peer(
      always("HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"));
  Client client;
  Loop loop;
  std::string body;
  asio::co_spawn(
      loop.io,
      [&]() -> asio::awaitable<void> {
        Request request{.method = "POST",
                        .url = peer.url("/a/b?c=d#e"),
                        .headers = {{"X-One", "1"}, {"x-two", "2"}},
                        .body = "data"};
        const Response response = co_await client.send(std::move(request));
        EXPECT_EQ(response.status, 418U);
        EXPECT_EQ(response.body, "hello");
        EXPECT_EQ(response.header("x-A"), "1");
        EXPECT_EQ(response.header("x-b"), std::nullopt);
        EXPECT_EQ(response.headers.size(), 3U);
        body = response.body;
      },
      asio::detached);
  loop.io.run();
  EXPECT_EQ(body, "hello");
  EXPECT_EQ(peer.requests().at(0),
            "POST /a/b?c=d HTTP/1.1\r\nhost: localhost:" + std::to_string(peer.port()) +
                "\r\nX-One: 1\r\nx-two: 2\r\ncontent-length: 4\r\n\r\ndata");
}

TEST(Client, AConnectionIsUsedAgainWhereItCanBe) {
  const std::vector<std::pair<std::string, bool>> answers = {
      {ok("a"), true},
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n", true},
      {"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + ok("a"), true},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + ok("a"), true},
      {ok("a", "connection: close\r\n"), false},
      {"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na", false},
      {ok("a") + "more than was asked for", false},
  };
  for (const auto& [bytes, again] : answers) {
    HttpPeer peer(always(bytes));
    Client client;
    Loop loop;
    EXPECT_EQ(loop.get(client, peer.url()), "200 a") << bytes;
    EXPECT_EQ(loop.get(client, peer.url()), "200 a") << bytes;
    EXPECT_EQ(peer.connections(), again ? 1 : 2) << bytes;
  }
}

TEST(Client, BodiesEndAsHttpSays) {
  HttpPeer peer([](const std::string& request, int) -> Answer {
    if (request.starts_with("HEAD")) {
      return {.bytes = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n"};
    }
    if (request.starts_with("GET /empty")) return {.bytes = "HTTP/1.1 204 No Content\r\n\r\n"};
    if (request.starts_with("GET /same")) {
      return {.bytes = "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"};
    }
    return {.bytes = "HTTP/1.1 200 OK\r\n\r\nto the end", .closes = true};
  });
  Client client;
  Loop loop;
  EXPECT_EQ(loop.ask(client, {.method = "HEAD", .url = peer.url()}), "200 ");
  EXPECT_EQ(loop.get(client, peer.url("/empty")), "204 ");
  EXPECT_EQ(loop.get(client, peer.url("/same")), "304 ");
  EXPECT_EQ(loop.get(client, peer.url("/end")), "200 to the end");
  EXPECT_EQ(peer.connections(), 1);
}

TEST(Client, EachCutOfAResponseIsTheSame) {
  const std::string whole =
      "HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\n";
  std::size_t cut = 0;
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  std::thread server([&] {
    for (; cut < whole.size(); ++cut) {
      asio::ip::tcp::socket socket(io);
      acceptor.accept(socket);
      socket.set_option(asio::ip::tcp::no_delay(true));
      std::string request;
      asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n");
      asio::write(socket, asio::buffer(whole.substr(0, cut)));
      std::this_thread::sleep_for(1ms);
      asio::write(socket, asio::buffer(whole.substr(cut)));
    }
  });
  const std::string url =
      "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
  Client client;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Loop loop;
    EXPECT_EQ(loop.get(client, url), "200 abcde") << i;
  }
  server.join();
}

TEST(Client, RequestsWaitForAPlaceInTheirOrderAndAreBounded) {
  HttpPeer peer([](const std::string& request, int) {
    return Answer{.bytes = ok(request.substr(5, 1)), .after = 20ms};
  });
  Client client({.connections = 2, .waiting = 2});
  Loop loop;
  std::vector<Request> requests;
  for (const char* path : {"/a", "/b", "/c", "/d", "/e"})
    requests.push_back({.url = peer.url(path)});
  EXPECT_EQ(loop.ask_all(client, requests),
            (std::vector<std::string>{"200 a", "200 b", "200 c", "200 d", "!overloaded"}));
  EXPECT_EQ(peer.connections(), 2);

  // Who waits too long goes, and takes nothing with it.
  for (Request& request : requests) request.time = 10ms;
  for (int i = 0; i < 3; ++i) loop.ask_all(client, requests);
  EXPECT_EQ(loop.get(client, peer.url("/f")), "200 f");
}

TEST(Client, OriginsAreBoundedAndMakeRoom) {
  HttpPeer a(always(ok("a")));
  HttpPeer b(always(ok("b")));
  HttpPeer slow([](const std::string&, int) { return Answer{.bytes = ok("s"), .after = 50ms}; });
  Client client({.origins = 1});
  Loop loop;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(loop.get(client, a.url()), "200 a");
    EXPECT_EQ(loop.get(client, b.url()), "200 b");
  }
  EXPECT_EQ(a.connections(), 2) << "it had made room";
  EXPECT_EQ(loop.ask_all(client, {{.url = slow.url()}, {.url = a.url()}}),
            (std::vector<std::string>{"200 s", "!overloaded"}));
}

TEST(Client, AnOldConnectionIsNotUsed) {
  HttpPeer peer(always(ok("a")));
  Client client({.idle_time = 1ms});
  Loop loop;
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  EXPECT_EQ(peer.connections(), 2);
}

TEST(Client, ThreadsShareIt) {
  HttpPeer peer(always(ok("a")));
  Client client;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Loop loop;
      for (int j = 0; j < 50; ++j) right += loop.get(client, peer.url()) == "200 a" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 200);
  EXPECT_EQ(peer.connections(), 4);
}

/// What a handler got; it is run by the test kit.
std::string ask_in_handler(Client& client, const std::string& url,
                           extproc::testing::StreamOptions options = {}) {
  auto handlers = std::make_shared<Handlers>("Asks");
  std::string given;
  handlers->process<Phase::request_headers>(
      [&](const HttpHeaders&, Context&, extproc::Request&, HeadersResponse&) -> Task<> {
        client::Request request{.url = url};
        co_await ask_into(client, std::move(request), given);
      });
  extproc::testing::AsEnvoyExtProc(
      {.request_headers = extproc::testing::envoy_headers({{":method", "GET"}})},
      std::move(options))
      .process(handlers);
  return given;
}

TEST(Client, InAHandler) {
  HttpPeer peer(always(ok("a")));
  Client client;
  EXPECT_EQ(ask_in_handler(client, peer.url()), "200 a");
  EXPECT_EQ(ask_in_handler(client, peer.url()), "200 a");
}

TEST(Client, InAHandlerWithoutARequestOfItsOwn) {
  HttpPeer peer(always(ok("a")));
  Client client;
  auto handlers = std::make_shared<Handlers>("Asks");
  std::string given;
  handlers->process<Phase::request_headers>([&](const HttpHeaders&, Context&, extproc::Request&,
                                                HeadersResponse&) -> Task<> {
    const Response response = co_await client.get(peer.url("/a-long-path-beyond-any-small-text"));
    given = response.body;
  });
  extproc::testing::AsEnvoyExtProc(
      {.request_headers = extproc::testing::envoy_headers({{":method", "GET"}})})
      .process(handlers);
  EXPECT_EQ(given, "a");
}

TEST(Client, AStreamThatIsOverWaitsNoLonger) {
  HttpPeer peer([](const std::string&, int) { return Answer{.bytes = ok("a"), .after = 10s}; });
  Client client({.connections = 1});
  EXPECT_EQ(ask_in_handler(client, peer.url(), {.reset_after = 1}), "!Operation canceled");
}

TEST(Client, SettingsThatAreNoneAreRefused) {
  EXPECT_THROW(Client({.connect_time = 0ms}), Error);
  EXPECT_THROW(Client({.time = 0ms}), Error);
  EXPECT_THROW(Client({.connections = 0}), Error);
  EXPECT_THROW(Client({.tls = {.ca_file = "/does/not/exist"}}), Error);
  EXPECT_THROW(Client({.tls = {.certificate_file = "/only/one"}}), Error);
}

}  // namespace
}  // namespace extproc::client
