#include "call_log/json_line.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "call_log/redacted_names.h"

namespace extproc::call_log {
namespace {

using namespace std::chrono_literals;

boost::json::object parsed(const std::string& line) {
  EXPECT_TRUE(line.ends_with("}\n"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return boost::json::parse(line).as_object();
}

TEST(JsonLine, HasEachKindOfMember) {
  std::string out;
  JsonLine line(out, 1024);
  line.text("text", "a \"quoted\"\\\n\t\x01");
  line.number("least", std::numeric_limits<std::int64_t>::min());
  line.number("double", 1.5);
  line.number("none", std::nan(""));
  line.boolean("flag", true);
  line.milliseconds("time", 1'234'567ns);
  line.milliseconds("back", -5ms);
  if (line.begin_object("object")) {
    line.text("x", "y");
    line.number("n", std::int64_t{7});
    line.end_object();
  }
  line.finish();
  EXPECT_EQ(out, R"({"text":"a \"quoted\"\\\n\t\u0001","least":-9223372036854775808,"double":1.5,)"
                 R"("none":null,"flag":true,"time":1.234,"back":0.000,"object":{"x":"y","n":7}})"
                 "\n");
}

TEST(JsonLine, IsRightForAllBytes) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  // What begins and does not go on, is too long, a surrogate, beyond the last, and right.
  all += "\xe2\x82 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82\xac \xf0\x9f\x98\x80 \xff";
  std::string out;
  JsonLine line(out, 64 << 10);
  line.text(all, all);
  line.finish();
  const auto object = parsed(out);
  const std::string_view text = object.begin()->value().as_string();
  EXPECT_EQ(object.begin()->key(), text);
  for (int c = 0; c < 128; ++c) EXPECT_EQ(text[static_cast<std::size_t>(c)], static_cast<char>(c));
  EXPECT_NE(text.find("\xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd"), text.npos);
  EXPECT_EQ(text.substr(128, 3), "\xef\xbf\xbd");
}

TEST(JsonLine, IsRightAndBoundedForEachLimit) {
  const std::string value = "a\"\x01\xe2\x82\xac" + std::string(30, 'x') + "\xff";
  std::size_t whole = 0;
  for (std::size_t most = 40; most < 400; ++most) {
    std::string out;
    JsonLine line(out, most);
    line.text("first", "1");
    line.text("value", value);
    line.number("number", std::int64_t{123456789});
    if (line.begin_object("object")) {
      line.text("inner", value, 20);
      line.milliseconds("time", 1s);
      line.end_object();
    }
    line.boolean("last", false);
    line.finish();
    EXPECT_LE(out.size(), most);
    const auto object = parsed(out);
    if (!object.contains("cut")) ++whole;
    // The inner one is always cut.
    EXPECT_TRUE(object.contains("cut"));
  }
  EXPECT_EQ(whole, 0U);
}

TEST(JsonLine, SaysNothingOfACutWhereThereIsNone) {
  for (std::size_t most = 60; most < 100; ++most) {
    std::string out;
    JsonLine line(out, most);
    line.text("time", "0");
    line.text("value", std::string(30, 'x'));
    line.finish();
    const auto object = parsed(out);
    const bool is_whole = object.contains("value") && object.at("value").as_string().size() == 30;
    EXPECT_EQ(object.contains("cut"), !is_whole) << most;
  }
}

std::string path_of(std::string_view path, std::size_t most = 1000) {
  const RedactedNames names({"token", "Secret"});
  std::string out;
  JsonLine line(out, 2048);
  line.text("time", "0");
  names.put_path(line, "path", path, most);
  line.finish();
  return std::string(parsed(out).at("path").as_string());
}

TEST(RedactedNames, AreTakenOutOfQueries) {
  const std::string_view cases[][2] = {
      {"/a", "/a"},
      {"", ""},
      {"/token=1", "/token=1"},
      {"/a?token=1", "/a?token=***"},
      {"/a?TOKEN=1&b=2&secret=3", "/a?TOKEN=***&b=2&secret=***"},
      {"/a?b=2&%74oken=1", "/a?b=2&%74oken=***"},
      {"/a?token", "/a?token"},
      {"/a?token=", "/a?token=***"},
      {"/a?&&=&token=a=b&", "/a?&&=&token=***&"},
      {"/a?tokens=1&xtoken=2", "/a?tokens=1&xtoken=2"},
      {"/a?b=?token=1&token=2?x", "/a?b=?token=1&token=***"},
      {"?token=1", "?token=***"},
  };
  for (const auto& [path, told] : cases) EXPECT_EQ(path_of(path), told);
}

TEST(RedactedNames, AreTakenOutWhereThePathIsCutAsWell) {
  for (std::size_t most = 0; most < 30; ++most)
    EXPECT_EQ(path_of("/a?b=2&token=hunter2&c=3", most).find("hunter"), std::string::npos);
}

}  // namespace
}  // namespace extproc::call_log
