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
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "blocks/client/target.h"
#include "blocks/http_peer.h"
#include "extproc/async.h"
#include "extproc/error.h"
#include "extproc/testing.h"
#include "tls/test_authority.h"

namespace extproc::client {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using ::testing::HasSubstr;

std::string name_of(Reason reason) {
  constexpr const char* kNames[] = {"request", "name",     "connect", "tls",        "time",
                                    "closed",  "protocol", "size",    "overloaded", "shut_down"};
  return kNames[static_cast<int>(reason)];
}

/// "200 body", or "!reason", with a + where it may have been sent.
asio::awaitable<void> ask_into(Client& client, Request request, std::string& outcome) {
  try {
    const Response response = co_await client.send(std::move(request));
    outcome = std::to_string(response.status) + " " + response.body;
  } catch (const Failure& failure) {
    outcome = "!" + name_of(failure.reason()) + (failure.sent() ? "+" : "");
  } catch (const boost::system::system_error& error) {
    outcome = "!" + error.code().message();
  }
}

/// One loop; behind each call nothing of the client is left in it.
struct Loop {
  asio::io_context io{1};

  std::string ask(Client& client, Request request) {
    return ask_all(client, {std::move(request)}).front();
  }
  std::string get(Client& client, const std::string& url) { return ask(client, {.url = url}); }
  std::vector<std::string> ask_all(Client& client, std::vector<Request> requests) {
    std::vector<std::string> outcomes(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      asio::co_spawn(io, ask_into(client, std::move(requests[i]), outcomes[i]), asio::detached);
    }
    io.restart();
    io.run();
    return outcomes;
  }
};

HttpPeer::Answering always(std::string bytes) {
  return [bytes = std::move(bytes)](const std::string&, int) { return Answer{.bytes = bytes}; };
}

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
  Client client({.time = 60ms});
  Loop loop;
  EXPECT_EQ(loop.get(client, peer.url()), "!time+");
  EXPECT_EQ(loop.get(client, peer.url("/body")), "!time+");
  Client patient;
  EXPECT_EQ(loop.ask(patient, {.url = peer.url(), .time = 30ms}), "!time+");
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

// --- What is sent

TEST(ClientTarget, UrlsThatAreNoneAreRefused) {
  for (const char* url : {"",
                          "/path",
                          "ftp://a",
                          "http://",
                          "http:///path",
                          "http://a b/",
                          "http://a/b c",
                          "http://user@a/",
                          "http://user:p@a/",
                          "http://[::1",
                          "http://[x]/",
                          "http://a:0/",
                          "http://a:65536/",
                          "http://a:b/",
                          "http://a/\r\nx: y",
                          "http://a\r\n/",
                          "http://\xc3\xa4/",
                          "http://a/\xc3\xa4",
                          "http://a:1:2/",
                          "http://[::1]x/",
                          "http:a"}) {
    EXPECT_THROW(static_cast<void>(parse_target(url)), Failure) << url;
  }
}

TEST(ClientTarget, UrlsSayWhereAndWhat) {
  const auto read = [](std::string_view url) {
    const Target target = parse_target(url);
    return target.origin.text() + " " + target.authority + " " + target.path;
  };
  EXPECT_EQ(read("http://A.example"), "http://a.example:80 A.example /");
  EXPECT_EQ(read("HTTPS://a:8443?x=http://b@c"), "https://a:8443 a:8443 /?x=http://b@c");
  EXPECT_EQ(read("https://[::1]:444/a//b?c#d?e"), "https://[::1]:444 [::1]:444 /a//b?c");
  EXPECT_EQ(read("http://[2001:db8::a]#/"), "http://[2001:db8::a]:80 [2001:db8::a] /");
  EXPECT_EQ(read("http://127.0.0.1:/x"), "http://127.0.0.1:80 127.0.0.1: /x");
}

TEST(ClientTarget, NothingIsSentThatEndsALine) {
  const Target target = parse_target("http://a/");
  const auto refused = [&](Request request) {
    EXPECT_THROW(static_cast<void>(request_text(request, target)), Failure);
  };
  refused({.method = ""});
  refused({.method = "GET /x HTTP/1.1\r\nx:"});
  refused({.method = "CONNECT"});
  refused({.headers = {{"", "x"}}});
  refused({.headers = {{"a b", "x"}}});
  refused({.headers = {{"a:b", "x"}}});
  refused({.headers = {{"a", "x\r\ny: z"}}});
  refused({.headers = {{"a", std::string("x\0y", 3)}}});
  for (const char* own : {"Host", "content-length", "Transfer-Encoding", "connection", "TE",
                          "trailer", "upgrade", "expect", "keep-alive"}) {
    refused({.headers = {{own, "x"}}});
  }
  EXPECT_THAT(request_text({.method = "PUT"}, target), HasSubstr("\r\ncontent-length: 0\r\n\r\n"));
}

TEST(Client, SettingsThatAreNoneAreRefused) {
  EXPECT_THROW(Client({.connect_time = 0ms}), Error);
  EXPECT_THROW(Client({.time = 0ms}), Error);
  EXPECT_THROW(Client({.connections = 0}), Error);
  EXPECT_THROW(Client({.tls = {.ca_file = "/does/not/exist"}}), Error);
  EXPECT_THROW(Client({.tls = {.certificate_file = "/only/one"}}), Error);
}

// --- TLS

/// Files of a test, gone with it.
class Files {
 public:
  Files() {
    std::string name = "/tmp/extproc_client_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Files() { std::filesystem::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

 private:
  std::string folder_;
};

struct ClientTls : public ::testing::Test {
  tls::TestAuthority authority{"ours"};
  tls::TestAuthority other{"theirs"};
  Files files;
  std::string ca = files.write("ca.pem", authority.certificate());
  Loop loop;

  HttpPeer::Pem pem(tls::Issued issued, const std::string& client_ca = "") {
    const tls::Pair pair = authority.issue(issued);
    return {pair.certificate, pair.key, client_ca};
  }
};

TEST_F(ClientTls, AServerIsTrustedByItsAuthorityAndName) {
  HttpPeer peer(always(ok("a")), pem({.names = "DNS:localhost,IP:127.0.0.1"}));
  Client client({.tls = {.ca_file = ca}});
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  EXPECT_EQ(peer.connections(), 1);
  EXPECT_EQ(loop.get(client, "https://127.0.0.1:" + std::to_string(peer.port())), "200 a");

  Client others({.tls = {.ca_file = files.write("other.pem", other.certificate())}});
  EXPECT_EQ(loop.get(others, peer.url()), "!tls");
  Client system;
  EXPECT_EQ(loop.get(system, peer.url()), "!tls");
  Client anybody({.tls = {.verify = false}});
  EXPECT_EQ(loop.get(anybody, peer.url()), "200 a");
  EXPECT_EQ(loop.get(client, "http://localhost:" + std::to_string(peer.port())), "!closed+");
}

TEST_F(ClientTls, AnotherNameOrTimeIsNotTrusted) {
  for (const tls::Issued& issued :
       {tls::Issued{.names = "DNS:elsewhere"}, tls::Issued{.names = ""},
        tls::Issued{.from = -7200, .until = -3600}, tls::Issued{.usage = "clientAuth"}}) {
    HttpPeer peer(always(ok("a")), pem(issued));
    Client client({.tls = {.ca_file = ca}});
    EXPECT_EQ(loop.get(client, peer.url()), "!tls") << issued.names;
    EXPECT_TRUE(peer.requests().empty());
  }
  HttpPeer peer(always(ok("a")), pem({.names = "DNS:elsewhere"}));
  Client named({.tls = {.ca_file = ca, .server_name = "elsewhere"}});
  EXPECT_EQ(loop.get(named, peer.url()), "200 a");
  HttpPeer by_name(always(ok("a")), pem({}));
  Client client({.tls = {.ca_file = ca}});
  EXPECT_EQ(loop.get(client, "https://127.0.0.1:" + std::to_string(by_name.port())), "!tls");
}

TEST_F(ClientTls, AClientShowsItsCertificate) {
  HttpPeer peer(always(ok("a")), pem({}, other.certificate()));
  const tls::Pair pair = other.issue({});
  Client client({.tls = {.ca_file = ca,
                         .certificate_file = files.write("crt", pair.certificate),
                         .key_file = files.write("key", pair.key)}});
  EXPECT_EQ(loop.get(client, peer.url()), "200 a");
  Client without({.tls = {.ca_file = ca}});
  EXPECT_THAT(loop.get(without, peer.url()), ::testing::AnyOf("!closed+", "!tls"));
}

TEST_F(ClientTls, ABodyThatIsCutIsNotWhole) {
  // Without close_notify nobody knows whether that was all.
  HttpPeer peer(
      [](const std::string&, int) {
        return Answer{.bytes = "HTTP/1.1 200 OK\r\n\r\nhalf of it", .closes = true};
      },
      pem({}));
  Client client({.tls = {.ca_file = ca}});
  EXPECT_EQ(loop.get(client, peer.url()), "!closed+");
}

}  // namespace
}  // namespace extproc::client
