// RESP2 and RESP3 from bytes in pieces: what values are, what is none, and what is too much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "blocks/redis/reply_reader.h"
#include "extproc/error.h"
#include "extproc/redis.h"

namespace extproc::redis {
namespace {

Value text(std::string what) { return {.kind = Value::Kind::text, .text = std::move(what)}; }
Value error(std::string what) { return {.kind = Value::Kind::error, .text = std::move(what)}; }
Value integer(std::int64_t what) { return {.kind = Value::Kind::integer, .integer = what}; }
Value number(double what) { return {.kind = Value::Kind::number, .number = what}; }
Value boolean(bool what) { return {.kind = Value::Kind::boolean, .integer = what ? 1 : 0}; }
Value list(std::vector<Value> items) {
  return {.kind = Value::Kind::array, .items = std::move(items)};
}
Value map(std::vector<Value> items) {
  return {.kind = Value::Kind::map, .items = std::move(items)};
}

/// All replies in bytes that come in these pieces.
std::vector<Value> read(const std::vector<std::string_view>& pieces, std::size_t most = 100'000) {
  ReplyReader reader(most);
  std::vector<Value> replies;
  for (std::string_view piece : pieces) {
    Value reply;
    while (reader.take(piece, reply)) replies.push_back(std::exchange(reply, {}));
    EXPECT_TRUE(piece.empty());
  }
  EXPECT_TRUE(reader.between_replies());
  return replies;
}

const std::vector<std::pair<std::string, Value>> kValues = {
    {"+OK\r\n", text("OK")},
    {"+\r\n", text("")},
    {"-ERR no such thing\r\n", error("ERR no such thing")},
    {":0\r\n", integer(0)},
    {":+5\r\n", integer(5)},
    {":-9223372036854775808\r\n", integer(std::numeric_limits<std::int64_t>::min())},
    {"$0\r\n\r\n", text("")},
    {"$4\r\n\r\n\r\n\r\n", text("\r\n\r\n")},
    {"$5\r\n$1\r\na\r\n", text("$1\r\na")},
    {"$-1\r\n", {}},
    {"*-1\r\n", {}},
    {"_\r\n", {}},
    {"*0\r\n", list({})},
    {"~0\r\n", list({})},
    {"%0\r\n", map({})},
    {"*2\r\n*0\r\n*1\r\n*-1\r\n", list({list({}), list({{}})})},
    {"~2\r\n:1\r\n+a\r\n", list({integer(1), text("a")})},
    {"%2\r\n+a\r\n:1\r\n*1\r\n_\r\n%0\r\n", map({text("a"), integer(1), list({{}}), map({})})},
    {"#t\r\n", boolean(true)},
    {"#f\r\n", boolean(false)},
    {",1.5\r\n", number(1.5)},
    {",-1e-3\r\n", number(-0.001)},
    {",10\r\n", number(10)},
    {",inf\r\n", number(std::numeric_limits<double>::infinity())},
    {",-inf\r\n", number(-std::numeric_limits<double>::infinity())},
    {"(3492890328409238509324850943850943825024385\r\n",
     text("3492890328409238509324850943850943825024385")},
    {"(-1\r\n", text("-1")},
    {"!8\r\nERR a\r\nb\r\n", error("ERR a\r\nb")},
    {"=7\r\ntxt:a\r\n\r\n", text("a\r\n")},
    {"=4\r\nmkd:\r\n", text("")},
    // What belongs to no reply.
    {">2\r\n+invalidate\r\n*1\r\n+x\r\n:1\r\n", integer(1)},
    {">0\r\n:1\r\n", integer(1)},
    {"|1\r\n+ttl\r\n:3600\r\n:1\r\n", integer(1)},
    {"|0\r\n:1\r\n", integer(1)},
    {"*2\r\n|1\r\n+a\r\n*1\r\n+b\r\n:1\r\n:2\r\n", list({integer(1), integer(2)})},
    {"*1\r\n|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n+d\r\n:1\r\n", list({integer(1)})},
};

TEST(RedisReplies, AreReadHoweverTheyAreCut) {
  for (const auto& [bytes, value] : kValues) {
    const std::string twice = bytes + bytes;
    const std::vector<Value> values = {value, value};
    EXPECT_EQ(read({twice}), values) << bytes;
    for (std::size_t cut = 0; cut <= twice.size(); ++cut) {
      const std::string_view all = twice;
      EXPECT_EQ(read({all.substr(0, cut), all.substr(cut)}), values) << bytes << " at " << cut;
    }
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < twice.size(); ++i) {
      single.push_back(std::string_view(twice).substr(i, 1));
    }
    EXPECT_EQ(read(single), values) << bytes;
  }
  const auto nan = read({",nan\r\n"});
  ASSERT_EQ(nan.size(), 1U);
  EXPECT_TRUE(std::isnan(nan[0].number));
}

TEST(RedisReplies, WhatIsNoneEndsIt) {
  for (const std::string bytes : {"x\r\n",
                                  "\r\n",
                                  "+a\n",
                                  "+a\rb\r\n",
                                  "\n",
                                  ":\r\n",
                                  ":1a\r\n",
                                  ":1 \r\n",
                                  ":0x1\r\n",
                                  ":9223372036854775808\r\n",
                                  "$a\r\n",
                                  "$-2\r\n",
                                  "$\r\n",
                                  "$1\r\nab\r\n",
                                  "$1\r\na\n\n",
                                  "*-2\r\n",
                                  "*a\r\n",
                                  "%-1\r\n",
                                  "~-1\r\n",
                                  "#x\r\n",
                                  "#\r\n",
                                  "_x\r\n",
                                  ",x\r\n",
                                  ",\r\n",
                                  "(1.5\r\n",
                                  "(\r\n",
                                  "=3\r\ntxt\r\n",
                                  "=5\r\ntxtaa\r\n",
                                  "!-1\r\n",
                                  "*1\r\n>0\r\n",
                                  ":+-1\r\n",
                                  "HTTP/1.1 400 Bad Request\r\n"}) {
    EXPECT_THROW(read({bytes}), ReplyError) << bytes;
  }
}

TEST(RedisReplies, AreBounded) {
  const auto throws = [](const std::string& bytes, std::size_t most) {
    ReplyReader reader(most);
    std::string_view rest = bytes;
    Value value;
    EXPECT_THROW(static_cast<void>(reader.take(rest, value)), ReplyError) << bytes.substr(0, 20);
  };
  // At the length already; a line without an end; many small ones; depth.
  throws("$100000\r\n", 100'000);
  throws("+" + std::string(100'001, 'a'), 100'000);
  throws("*1000000000\r\n" + std::string(4'000, '_'), 1'000);
  std::string nulls = "*1000000000\r\n";
  for (int i = 0; i < 10'000; ++i) nulls += "_\r\n";
  throws(nulls, 100'000);
  std::string pushed = ">1000000000\r\n";
  for (int i = 0; i < 10'000; ++i) pushed += "_\r\n";
  throws(pushed, 100'000);
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "*1\r\n";
  throws(deep, 100'000);
  EXPECT_EQ(read({deep.substr(4) + ":1\r\n"}).size(), 1U);
  // Each reply has all of it.
  const std::string large = "$900\r\n" + std::string(900, 'a') + "\r\n";
  EXPECT_EQ(read({large + large + large}, 1'100).size(), 3U);
}

TEST(RedisCommand, IsItsWordsAsBytes) {
  const std::string odd("a\r\n\0b", 5);
  EXPECT_EQ(
      Command("SET", odd, 5, std::string_view("x"), "PX", -1L).bytes(),
      "*6\r\n$3\r\nSET\r\n$5\r\n" + odd + "\r\n$1\r\n5\r\n$1\r\nx\r\n$2\r\nPX\r\n$2\r\n-1\r\n");
  EXPECT_EQ(Command(std::vector<std::string>{"DEL", "a", ""}).bytes(),
            "*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$0\r\n\r\n");
  EXPECT_EQ(Command("PING").bytes(), "*1\r\n$4\r\nPING\r\n");
}

TEST(RedisUrl, SaysWhereAndWho) {
  const auto read = [](std::string_view url) {
    const Settings settings = Settings::from_url(url);
    return settings.host + "|" + std::to_string(settings.port) + "|" + settings.user + "|" +
           settings.password + "|" + std::to_string(settings.database) +
           (settings.tls ? "|tls" : "");
  };
  EXPECT_EQ(read("redis://redis"), "redis|6379|||0");
  EXPECT_EQ(read("redis://redis:1/"), "redis|1|||0");
  EXPECT_EQ(read("rediss://:p%40%3a@[::1]:6380/15"), "::1|6380||p@:|15|tls");
  EXPECT_EQ(read("redis://me:a:b@10.0.0.1/2"), "10.0.0.1|6379|me|a:b|2");
  for (const char* url :
       {"", "redis:", "http://a", "redis://", "redis://:secret@", "redis://secret@a", "redis://a:0",
        "redis://a:65536", "redis://a:secret/", "redis://a/secret", "redis://a/-1",
        "redis://:secret%4@a", "redis://[::1", "redis://[::1]x", "redis://a/1/2"}) {
    try {
      static_cast<void>(Settings::from_url(url));
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("secret"))) << url;
    }
  }
}

}  // namespace
}  // namespace extproc::redis
