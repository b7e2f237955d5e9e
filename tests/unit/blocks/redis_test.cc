// A client of Redis against a real redis-server: every kind of value, many at once, in a handler.
#include "extproc/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "blocks/redis/reply_reader.h"
#include "blocks/redis_asking.h"
#include "blocks/redis_server.h"

namespace extproc::redis {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

TEST(Redis, AsksAndIsAnswered) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  const std::string odd("a\r\n\0\xff", 5);
  EXPECT_EQ(loop.ask(client, "SET", "key", odd, "PX", 100'000), "OK");
  EXPECT_EQ(loop.ask(client, "GET", "key"), odd);
  EXPECT_EQ(loop.ask(client, "GET", "none"), "null");
  EXPECT_EQ(loop.ask(client, "INCRBY", "number", -5), "-5");
  EXPECT_EQ(loop.ask(client, "HSET", "hash", "a", 1, "b", 2), "2");
  EXPECT_EQ(loop.ask(client, "HGETALL", "hash"), "{a 1 b 2}");
  EXPECT_EQ(loop.ask(client, "LPUSH", "key", "x"),
            "!error+ WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(loop.ask(client, "NONSENSE").substr(0, 27), "!error+ ERR unknown command");
  const std::string large(5'000'000, 'x');
  EXPECT_EQ(loop.ask(client, "SET", "large", large), "OK");
  EXPECT_EQ(loop.ask(client, "GET", "large"), large);
}

TEST(Redis, EveryKindOfValue) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"string", "Hello World"},
      {"integer", "12345"},
      {"double", "3.141000"},
      {"null", "null"},
      {"array", "[0 1 2]"},
      {"set", "[0 1 2]"},
      {"map", "{0 false 1 true 2 false}"},
      {"attrib", "Some real reply following the attribute"},
      {"verbatim", "This is a verbatim\nstring"},
      {"true", "true"},
      {"false", "false"},
      {"bignum", "1234567999999999999999999999999999999"},
  };
  for (const auto& [kind, value] : kinds) {
    EXPECT_EQ(loop.ask(client, "DEBUG", "PROTOCOL", kind), value) << kind;
  }
}

/// A random value, and the Lua that says it.
struct RandomValue {
  std::mt19937 random;

  int below(int end) { return std::uniform_int_distribution<>(0, end - 1)(random); }

  std::pair<Value, std::string> make(int depth) {
    switch (below(depth > 0 ? 9 : 6)) {
      case 0: {
        const std::int64_t number =
            std::uniform_int_distribution<std::int64_t>(-1'000'000'000, 1'000'000'000)(random);
        return {{.kind = Value::Kind::integer, .integer = number}, std::to_string(number)};
      }
      case 1: {
        const bool is = below(2) == 1;
        return {{.kind = Value::Kind::boolean, .integer = is}, is ? "true" : "false"};
      }
      case 2:
        return {{}, "nil"};
      case 3: {
        const double number = below(2'000'001) / 1024.0 - 1000;
        char text[64];
        std::snprintf(text, sizeof text, "{double=%.17g}", number);
        return {{.kind = Value::Kind::number, .number = number}, text};
      }
      case 4: {
        const std::string digits =
            "-" + std::string(1 + below(60), static_cast<char>('1' + below(9)));
        return {{.kind = Value::Kind::text, .text = digits}, "{big_number='" + digits + "'}"};
      }
      case 5:
        return text();
      default:
        return aggregate(depth - 1);
    }
  }

  std::pair<Value, std::string> text() {
    const bool is_error = below(6) == 0;
    std::string bytes = is_error ? "ERR " : "";
    std::string lua = is_error ? "redis.error_reply('ERR " : "'";
    for (int left = below(is_error ? 20 : 300); left > 0; --left) {
      const int byte = is_error ? 'a' + below(26) : below(256);
      bytes.push_back(static_cast<char>(byte));
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\%03d", byte);
      lua += escaped;
    }
    lua += is_error ? "')" : "'";
    return {{.kind = is_error ? Value::Kind::error : Value::Kind::text, .text = bytes}, lua};
  }

  std::pair<Value, std::string> aggregate(int depth) {
    const bool is_map = below(3) == 0;
    Value value{.kind = is_map ? Value::Kind::map : Value::Kind::array};
    std::string lua = is_map ? "{map={" : "{";
    // Lua knows no order of keys: a map has one.
    for (int left = is_map ? 1 : below(6); left > 0; --left) {
      auto [item, said] = make(depth);
      // A list of Lua ends at its first nil.
      if (item.is_null()) continue;
      if (is_map) {
        value.items.push_back({.kind = Value::Kind::text, .text = "key"});
        lua += "key=";
      }
      value.items.push_back(std::move(item));
      lua += said + ",";
    }
    // What is left of it is an empty list to Lua.
    if (is_map && value.items.empty()) return {{.kind = Value::Kind::map}, "{map={}}"};
    return {value, lua + (is_map ? "}}" : "}")};
  }
};

std::string eval(const std::string& lua) { return "redis.setresp(3) return " + lua; }

TEST(Redis, RandomValuesOfTheServerAreReadAsTheyAreHoweverTheyAreCut) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  RandomValue values{.random = std::mt19937(20'261'130)};
  for (int i = 0; i < 300; ++i) {
    const auto [value, lua] = values.make(4);
    // What a command answers as its own error is a Failure: one level down it is a value.
    const Value expected{.kind = Value::Kind::array, .items = {value}};
    if (value.is_null()) continue;
    const Command command("EVAL", eval("{" + lua + "}"), 0);
    EXPECT_EQ(loop.value(client, command), expected) << lua;
    if (i >= 60) continue;

    const std::string bytes =
        server.raw("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n" + std::string(command.bytes()));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      ReplyReader reader(1 << 20);
      Value greeting;
      std::vector<Value> replies;
      for (std::string_view part :
           {std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}) {
        Value reply;
        while (reader.take(part, reply)) replies.push_back(std::exchange(reply, {}));
      }
      ASSERT_EQ(replies.size(), 2U) << lua << " at " << cut;
      ASSERT_EQ(replies[1], expected) << lua << " at " << cut;
    }
  }
}

TEST(Redis, WhatIsAskedTogetherGoesTogetherAndComesInItsOrder) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  std::vector<Command> commands;
  std::vector<std::string> expected;
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = std::to_string(i) + std::string(i % 50, 'x');
    commands.emplace_back("ECHO", text);
    expected.push_back(text);
  }
  EXPECT_EQ(loop.ask_all(client, std::move(commands)), expected);
  EXPECT_THAT(loop.ask(client, "INFO", "stats"), HasSubstr("total_connections_received:2\r\n"))
      << "one of the test's own, and one";
}

TEST(Redis, SeveralInOneStayTogether) {
  RedisServer server;
  Client client(at(server));
  Loop loop;
  std::vector<Value> replies;
  asio::co_spawn(
      loop.io,
      [&]() -> asio::awaitable<void> {
        std::vector<Command> commands;
        commands.emplace_back("MULTI");
        commands.emplace_back("INCR", "n");
        commands.emplace_back("INCR", "n");
        commands.emplace_back("EXEC");
        commands.emplace_back("NONSENSE");
        replies = co_await client.send(std::move(commands));
        std::vector<Command> none;
        const std::vector<Value> nothing = co_await client.send(std::move(none));
        EXPECT_TRUE(nothing.empty());
      },
      asio::detached);
  loop.io.run();
  ASSERT_EQ(replies.size(), 5U);
  EXPECT_EQ(shown(replies[1]), "QUEUED");
  EXPECT_EQ(shown(replies[3]), "[1 2]");
  EXPECT_TRUE(replies[4].is_error());
}

TEST(Redis, ThreadsShareIt) {
  RedisServer server;
  Client client(at(server));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Loop loop;
      for (int j = 0; j < 20; ++j) {
        std::vector<Command> commands(20, Command("INCR", "n"));
        loop.ask_all(client, std::move(commands));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Loop loop;
  EXPECT_EQ(loop.ask(client, "GET", "n"), "1600");
}

}  // namespace
}  // namespace extproc::redis
