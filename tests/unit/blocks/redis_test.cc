// A client of Redis against a real redis-server: every kind of value, many at once, and a server
// that goes, comes back, stands still, or wants to know who asks.
#include "extproc/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
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
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "blocks/redis/reply_reader.h"
#include "blocks/redis_server.h"
#include "extproc/async.h"
#include "extproc/error.h"
#include "extproc/testing.h"
#include "tls/test_authority.h"

namespace extproc::redis {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A value as text, or "!reason", a + where it may have been done, and why.
std::string shown(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::text:
      return value.text;
    case Value::Kind::error:
      return "error " + value.text;
    case Value::Kind::integer:
      return std::to_string(value.integer);
    case Value::Kind::number:
      return std::to_string(value.number);
    case Value::Kind::boolean:
      return value.integer != 0 ? "true" : "false";
    case Value::Kind::array:
    case Value::Kind::map:
      break;
  }
  std::string all = value.kind == Value::Kind::map ? "{" : "[";
  for (const Value& item : value.items) all += (all.size() > 1 ? " " : "") + shown(item);
  return all + (value.kind == Value::Kind::map ? "}" : "]");
}

std::string shown(const Failure& failure) {
  constexpr const char* kNames[] = {"command", "unavailable", "lost",     "time",
                                    "error",   "overloaded",  "shut_down"};
  return "!" + std::string(kNames[static_cast<int>(failure.reason())]) +
         (failure.sent() ? "+ " : " ") + failure.what();
}

asio::awaitable<void> ask_into(Client& client, Command command, std::string& outcome) {
  try {
    const Value value = co_await client.send(std::move(command));
    outcome = shown(value);
  } catch (const Failure& failure) {
    outcome = shown(failure);
  } catch (const boost::system::system_error& error) {
    outcome = "!" + error.code().message();
  }
}

/// One loop; behind each call nothing of the client is left in it.
struct Loop {
  asio::io_context io{1};

  template <class... Args>
  std::string ask(Client& client, const Args&... args) {
    return ask_all(client, {Command(args...)}).front();
  }
  std::vector<std::string> ask_all(Client& client, std::vector<Command> commands) {
    std::vector<std::string> outcomes(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      asio::co_spawn(io, ask_into(client, std::move(commands[i]), outcomes[i]), asio::detached);
    }
    io.restart();
    io.run();
    return outcomes;
  }
  Value value(Client& client, Command command) {
    Value value;
    asio::co_spawn(
        io, [&]() -> asio::awaitable<void> { value = co_await client.send(std::move(command)); },
        asio::detached);
    io.restart();
    io.run();
    return value;
  }
};

Settings at(const RedisServer& server) { return {.port = server.port()}; }

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

// --- Who asks, and of what

TEST(Redis, AServerThatWantsAPassword) {
  RedisServer server({"--requirepass", "secret", "--user", "me", "on", ">mine", "~*", "+@all"});
  Loop loop;
  Settings settings = at(server);
  settings.password = "secret";
  Client client(settings);
  EXPECT_EQ(loop.ask(client, "ACL", "WHOAMI"), "default");
  settings.user = "me";
  settings.password = "mine";
  Client me(settings);
  EXPECT_EQ(loop.ask(me, "ACL", "WHOAMI"), "me");
  settings.password = "wrong-one";
  Client wrong(settings);
  EXPECT_THAT(loop.ask(wrong, "PING"),
              ::testing::AllOf(StartsWith("!unavailable "), HasSubstr("WRONGPASS"),
                               Not(HasSubstr("wrong-one"))));
  Client nobody(at(server));
  EXPECT_THAT(loop.ask(nobody, "PING"),
              ::testing::AllOf(StartsWith("!unavailable "), HasSubstr("NOAUTH")));
}

TEST(Redis, AServerThatKnowsResp2Alone) {
  RedisServer server({"--rename-command", "HELLO", "", "--requirepass", "secret"});
  Loop loop;
  Settings settings = at(server);
  settings.password = "secret";
  settings.database = 3;
  Client client(settings);
  EXPECT_EQ(loop.ask(client, "HSET", "hash", "a", "1"), "1");
  EXPECT_EQ(loop.ask(client, "HGETALL", "hash"), "[a 1]");
  EXPECT_EQ(loop.ask(client, "GET", "none"), "null");
  EXPECT_THAT(loop.ask(client, "CLIENT", "INFO"), HasSubstr(" db=3 "));
  settings.user = "default";
  Client named(settings);
  EXPECT_EQ(loop.ask(named, "PING"), "PONG");
  settings.password = "wrong";
  Client wrong(settings);
  EXPECT_THAT(loop.ask(wrong, "PING"), HasSubstr("WRONGPASS"));
}

TEST(Redis, ADatabaseOfItsOwn) {
  RedisServer server;
  Loop loop;
  Settings settings = at(server);
  Client zero(settings);
  settings.database = 7;
  Client seven(settings);
  EXPECT_EQ(loop.ask(seven, "SET", "a", "7"), "OK");
  EXPECT_EQ(loop.ask(zero, "GET", "a"), "null");
  settings.database = 99;
  Client none(settings);
  EXPECT_THAT(loop.ask(none, "PING"), HasSubstr("DB index is out of range"));
}

TEST(Redis, OverTls) {
  tls::TestAuthority authority("ours");
  std::string folder = "/tmp/extproc_redis_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name) << text;
    return folder + "/" + name;
  };
  const tls::Pair pair = authority.issue({.names = "IP:127.0.0.1"});
  const std::string ca = write("ca", authority.certificate());
  const std::string certificate = write("crt", pair.certificate);
  const std::string key = write("key", pair.key);
  {
    RedisServer server({"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file",
                        ca, "--tls-auth-clients", "yes"},
                       true);
    Loop loop;
    Settings settings = at(server);
    settings.tls =
        client::TlsSettings{.ca_file = ca, .certificate_file = certificate, .key_file = key};
    Client client(settings);
    std::vector<Command> commands;
    std::vector<std::string> expected;
    for (int i = 0; i < 100; ++i) {
      expected.push_back(std::string(10'000, static_cast<char>('a' + i % 26)));
      commands.emplace_back("ECHO", expected.back());
    }
    EXPECT_EQ(loop.ask_all(client, std::move(commands)), expected);
    EXPECT_EQ(loop.ask(client, "PING"), "PONG");
    server.kill();
    server.start();
    EXPECT_EQ(loop.ask(client, "PING"), "PONG");

    settings.tls->server_name = "elsewhere";
    Client other_name(settings);
    EXPECT_THAT(loop.ask(other_name, "PING"),
                ::testing::AllOf(StartsWith("!unavailable "), HasSubstr("mismatch")));
    settings.tls.reset();
    Client clear(settings);
    EXPECT_THAT(loop.ask(clear, "PING"), StartsWith("!unavailable "));
  }
  std::filesystem::remove_all(folder);
}

// --- Bounds, and what is refused

TEST(Redis, WhatWaitsIsBounded) {
  RedisServer server;
  Loop loop;
  Settings settings = at(server);
  settings.commands = 3;
  Client few(settings);
  const std::vector<Command> five(5, Command("PING"));
  EXPECT_EQ(loop.ask_all(few, five),
            (std::vector<std::string>{"PONG", "PONG", "PONG",
                                      "!overloaded too many commands wait for Redis",
                                      "!overloaded too many commands wait for Redis"}));
  EXPECT_EQ(loop.ask(few, "PING"), "PONG");
  settings.commands = 1'000;
  settings.queued_bytes = 1'000;
  Client small(settings);
  EXPECT_THAT(loop.ask(small, "ECHO", std::string(1'000, 'x')), StartsWith("!overloaded "));
  EXPECT_EQ(loop.ask(small, "ECHO", std::string(900, 'x')).size(), 900U);
}

TEST(Redis, AReplyIsBounded) {
  RedisServer server;
  Loop loop;
  Settings settings = at(server);
  settings.reply_bytes = 10'000;
  Client client(settings);
  EXPECT_EQ(loop.ask(client, "SET", "large", std::string(20'000, 'x')), "OK");
  EXPECT_THAT(loop.ask(client, "GET", "large"),
              ::testing::AllOf(StartsWith("!lost+"), HasSubstr("reply_bytes")));
  EXPECT_EQ(loop.ask(client, "GETRANGE", "large", 0, 3), "xxxx");
}

TEST(Redis, CommandsThatChangeTheConnectionAreRefused) {
  Loop loop;
  Client client({.port = 1});
  for (const char* name : {"SUBSCRIBE", "psubscribe", "MONITOR", "Select", "AUTH", "HELLO", "QUIT",
                           "RESET", "SYNC", "unsubscribe", ""}) {
    EXPECT_THAT(loop.ask(client, name, "x"), StartsWith("!command ")) << name;
  }
  EXPECT_THAT(loop.ask(client, "CLIENT", "REPLY", "OFF"), StartsWith("!command "));
  EXPECT_THAT(loop.ask(client, std::vector<std::string>{}), StartsWith("!command "));
}

TEST(Redis, SettingsThatAreNoneAreRefused) {
  EXPECT_THROW(Client({.host = ""}), Error);
  EXPECT_THROW(Client({.port = 0}), Error);
  EXPECT_THROW(Client({.time = 0ms}), Error);
  EXPECT_THROW(Client({.least_pause = 2s, .most_pause = 1s}), Error);
  EXPECT_THROW(Client({.commands = 0}), Error);
  EXPECT_THROW(Client({.tls = client::TlsSettings{.ca_file = "/none"}}), Error);
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
