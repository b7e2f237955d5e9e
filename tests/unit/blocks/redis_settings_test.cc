// Who asks a Redis, of what, over TLS, and how much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "blocks/redis_asking.h"
#include "blocks/redis_server.h"
#include "extproc/error.h"
#include "extproc/redis.h"
#include "tls/test_authority.h"

namespace extproc::redis {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace extproc::redis
