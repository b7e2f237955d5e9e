// A client of Redis whose server goes, comes back, stands still or is none; and what goes while it
// is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "blocks/redis_asking.h"
#include "blocks/redis_server.h"
#include "extproc/async.h"
#include "extproc/redis.h"
#include "extproc/testing.h"

namespace extproc::redis {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using ::testing::AnyOf;
using ::testing::StartsWith;

// --- A server that goes

TEST(Redis, AServerThatComesBackIsFoundAgain) {
  RedisServer server;
  Settings settings = at(server);
  settings.least_pause = 50ms;
  settings.most_pause = 50ms;
  Client client(settings);
  Loop loop;
  EXPECT_EQ(loop.ask(client, "PING"), "PONG");
  server.kill();
  EXPECT_THAT(loop.ask(client, "PING"), StartsWith("!unavailable Redis is unavailable: "));
  EXPECT_THAT(loop.ask(client, "PING"), StartsWith("!unavailable ")) << "at once";
  server.start();
  std::this_thread::sleep_for(60ms);
  EXPECT_EQ(loop.ask(client, "PING"), "PONG");
}

TEST(Redis, AServerThatRestartedInBetweenIsNotNoticed) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(loop.ask(client, "PING"), "PONG");
    server.kill();
    server.start();
  }
}

TEST(Redis, WhatWasUnderWayIsToldThatItMayHaveBeenDone) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  EXPECT_EQ(loop.ask(client, "PING"), "PONG");
  server.freeze();
  std::thread killer([&] {
    std::this_thread::sleep_for(50ms);
    server.kill();
  });
  EXPECT_THAT(loop.ask_all(client, {Command("INCR", "n"), Command("PING")}),
              ::testing::Each(StartsWith("!lost+ the connection to Redis is lost: ")));
  killer.join();
}

TEST(Redis, AConnectionThatTheServerEndsIsMadeAgain) {
  RedisServer server;
  Client client(at(server));
  Client other(at(server));
  Loop loop;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(loop.ask(client, "PING"), "PONG");
    EXPECT_NE(loop.ask(other, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"), "0");
  }
  // In the middle of it: what came before has its answer.
  const auto outcomes = loop.ask_all(
      client, {Command("ECHO", "a"), Command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"),
               Command("ECHO", "b")});
  EXPECT_EQ(outcomes[0], "a");
  EXPECT_EQ(outcomes[1], "2") << "with the other's";
  EXPECT_THAT(outcomes[2], AnyOf("b", StartsWith("!lost+")));
  EXPECT_EQ(loop.ask(client, "PING"), "PONG");
}

TEST(Redis, AServerThatStandsStillIsLeft) {
  RedisServer server;
  Settings settings = at(server);
  settings.time = 100ms;
  Client client(settings);
  Loop loop;
  EXPECT_EQ(loop.ask(client, "SET", "a", "1"), "OK");
  server.freeze();
  EXPECT_THAT(loop.ask(client, "GET", "a"), StartsWith("!time+"));
  server.thaw();
  // Not on the old connection, where the late reply would come first.
  EXPECT_EQ(loop.ask(client, "GET", "a"), "1");
  EXPECT_EQ(loop.ask(client, "ECHO", "b"), "b");
}

TEST(Redis, AReplyThatIsTooLateIsNobodyElses) {
  RedisServer server;
  Settings settings = at(server);
  settings.time = 150ms;
  Client client(settings);
  Loop loop;
  // The server answers others meanwhile, so that the connection stays.
  std::vector<std::string> outcomes(20);
  std::string late;
  const auto wait = [](asio::io_context& io,
                       std::chrono::milliseconds time) -> asio::awaitable<void> {
    asio::steady_timer timer(io, time);
    co_await timer.async_wait(asio::use_awaitable);
  };
  asio::co_spawn(loop.io, ask_into(client, Command("BLPOP", "none", "0.4"), late), asio::detached);
  asio::co_spawn(
      loop.io,
      [&]() -> asio::awaitable<void> {
        co_await wait(loop.io, 20ms);
        for (std::string& outcome : outcomes) {
          co_await ask_into(client, Command("ECHO", "x"), outcome);
          co_await wait(loop.io, 30ms);
        }
      },
      asio::detached);
  loop.io.run();
  EXPECT_THAT(late, StartsWith("!time+"));
  EXPECT_EQ(outcomes.back(), "x");
  for (const std::string& outcome : outcomes) {
    EXPECT_THAT(outcome, AnyOf("x", StartsWith("!time+"), StartsWith("!lost+")));
  }
}

/// What only pretends to be a Redis: it answers each read with the next of these.
struct Pretender {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  unsigned short port = acceptor.local_endpoint().port();
  std::thread thread;

  explicit Pretender(std::vector<std::string> answers)
      : thread([this, answers = std::move(answers)] {
          asio::ip::tcp::socket socket(io);
          acceptor.accept(socket);
          std::array<char, 1000> buffer;
          for (const std::string& answer : answers) {
            boost::system::error_code error;
            socket.read_some(asio::buffer(buffer), error);
            asio::write(socket, asio::buffer(answer), error);
          }
          boost::system::error_code error;
          socket.read_some(asio::buffer(buffer), error);
        }) {}
  Pretender(const Pretender&) = delete;
  Pretender& operator=(const Pretender&) = delete;
  ~Pretender() { thread.join(); }
};

TEST(Redis, WhatSpeaksNoRespIsLeft) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"HTTP/1.1 400 Bad Request\r\n\r\n"}, "!unavailable "},
      {{"+OK\r\n+OK\r\n"}, "!unavailable "},
      {{"%0\r\n", "nonsense\r\n"}, "!lost+"},
      {{"%0\r\n", "+PONG\r\n+PONG\r\n"}, "PONG"},
      {{"%0\r\n", "$5\r\nhal"}, "!time+"},
      {{""}, "!unavailable "},
  };
  for (const auto& [answers, outcome] : cases) {
    Pretender pretender(answers);
    {
      Loop loop;
      Client client({.port = pretender.port, .connect_time = 200ms, .time = 250ms});
      EXPECT_THAT(loop.ask(client, "PING"), StartsWith(outcome)) << answers.front();
    }
  }
}

// --- Lifetimes

TEST(Redis, LoopsComeAndGo) {
  RedisServer server;
  Client client(at(server));
  for (int i = 0; i < 3; ++i) {
    Loop loop;
    EXPECT_EQ(loop.ask(client, "INCR", "n"), std::to_string(i + 1));
  }
}

TEST(Redis, ALoopCanEndWithCommandsUnderWay) {
  RedisServer server;
  Client client(at(server));
  std::vector<std::string> outcomes(3);
  {
    Loop loop;
    EXPECT_EQ(loop.ask(client, "PING"), "PONG");
    server.freeze();
    loop.io.restart();
    for (std::string& outcome : outcomes) {
      asio::co_spawn(loop.io, ask_into(client, Command("PING"), outcome), asio::detached);
    }
    loop.io.run_for(20ms);
  }
  server.thaw();
  EXPECT_EQ(outcomes, std::vector<std::string>(3));
}

TEST(Redis, ItCanGoWithCommandsUnderWay) {
  RedisServer server;
  auto client = std::make_unique<Client>(at(server));
  Loop loop;
  EXPECT_EQ(loop.ask(*client, "PING"), "PONG");
  server.freeze();
  std::string outcome;
  asio::co_spawn(loop.io, ask_into(*client, Command("PING"), outcome), asio::detached);
  loop.io.restart();
  loop.io.run_for(20ms);
  std::thread([&] { client.reset(); }).join();
  loop.io.run();
  EXPECT_THAT(outcome, StartsWith("!shut_down+"));
}

/// What a handler got; it is run by the test kit.
std::string ask_in_handler(Client& client, extproc::testing::StreamOptions options = {}) {
  auto handlers = std::make_shared<Handlers>("Asks");
  std::string given = "nothing";
  handlers->process<Phase::request_headers>(
      [&](const HttpHeaders&, Context&, Request&, HeadersResponse&) -> Task<> {
        try {
          const std::string key = "some-key-that-is-longer-than-any-small-text";
          const Value set = co_await client.command("SET", key, std::string(40, 'v'), "PX", 10'000);
          const Value value = co_await client.command("GET", key);
          given = set.text + value.text;
        } catch (const Failure& failure) {
          given = shown(failure);
        } catch (const boost::system::system_error& error) {
          given = "!" + error.code().message();
        }
      });
  extproc::testing::AsEnvoyExtProc(
      {.request_headers = extproc::testing::envoy_headers({{":method", "GET"}})},
      std::move(options))
      .process(handlers);
  return given;
}

TEST(Redis, InAHandler) {
  RedisServer server;
  Client client(at(server));
  EXPECT_EQ(ask_in_handler(client), "OK" + std::string(40, 'v'));
  EXPECT_EQ(ask_in_handler(client), "OK" + std::string(40, 'v'));
  server.freeze();
  EXPECT_EQ(ask_in_handler(client, {.reset_after = 1}), "!Operation canceled");
  server.thaw();
}

}  // namespace
}  // namespace extproc::redis
