#include "setting_text/json.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <string_view>

#include "refusal.h"
#include "setting_text/yaml.h"

namespace extproc::setting_text {
namespace {

using detail::SettingNode;
using Kind = SettingNode::Kind;
using ::testing::HasSubstr;
using ::testing::StartsWith;

SettingNode json(std::string_view text) { return read_json(text, "a"); }

std::string refused_json(std::string_view text) {
  return refusal_of([&] { json(text); });
}

TEST(Json, KeepsLinesAndKinds) {
  const SettingNode root = json("{\"a\": 1,\n\"b\":\n[\"x\", true],\n\"c\": {\"d\": null}}");
  EXPECT_EQ(root.find("a")->text, "1");
  EXPECT_FALSE(root.find("a")->quoted);
  EXPECT_TRUE(root.find("b")->items[0].quoted);
  EXPECT_EQ(root.find("b")->line, 3);
  EXPECT_EQ(root.keys[2].line, 4);
  EXPECT_EQ(root.find("c")->find("d")->kind, Kind::nothing);
}

TEST(Json, Escapes) {
  EXPECT_EQ(json(R"(["\"\\\/\b\f\n\r\t"])").items[0].text, "\"\\/\b\f\n\r\t");
  EXPECT_EQ(json(R"(["A\u00e9\u20AC\ud83d\ude00"])").items[0].text, "A\u00e9\u20ac\U0001f600");
  EXPECT_THAT(refused_json(R"(["\x"])"), HasSubstr("an escape that there is not"));
  for (const char* half : {R"(["\ud83d"])", R"(["\ude00"])", R"(["\ud83dA"])"})
    EXPECT_THAT(refused_json(half), HasSubstr("surrogate")) << half;
  EXPECT_THAT(refused_json(R"(["\u12g4"])"), HasSubstr("four hexadecimal digits"));
}

TEST(Json, WhatIsRefused) {
  EXPECT_THAT(refused_json("{\"a\": 1,\n}"), StartsWith("a:2: it is no JSON: a key"));
  EXPECT_THAT(refused_json("[1"), HasSubstr("a ] is missing"));
  EXPECT_THAT(refused_json("[1] x"), HasSubstr("behind its end"));
  EXPECT_THAT(refused_json("[maybe]"), HasSubstr("without quotation marks"));
  EXPECT_THAT(refused_json("[,]"), HasSubstr("a value is missing"));
  EXPECT_THAT(refused_json("[\"a"), HasSubstr("does not end"));
  EXPECT_THAT(refused_json("[\"\n\"]"), HasSubstr("control character"));
  EXPECT_THAT(refused_json(R"({"a": 1, "a": 2})"), HasSubstr("a is given twice"));
  EXPECT_THAT(refused_json(std::string(40, '[') + std::string(40, ']')), HasSubstr("32 levels"));
  std::string many = "[1";
  for (int i = 0; i < 25'000; ++i) many += ",1";
  EXPECT_THAT(refused_json(many + "]"), HasSubstr("20000 values"));
  EXPECT_THAT(refused_json(std::string((1 << 20) + 1, ' ')), HasSubstr("1048576 bytes"));
}

class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string value(int depth) {
    switch (pick(depth > 4 ? 4 : 6)) {
      case 0:
        return text();
      case 1:
        return std::to_string(pick(2'000) - 1'000) + (pick(2) == 0 ? ".5" : "");
      case 2:
        return pick(2) == 0 ? "true" : "false";
      case 3:
        return "null";
      case 4:
        return list(depth);
      default:
        return mapping(depth);
    }
  }
  std::string mapping(int depth) {
    std::string made = "{";
    for (int i = 0, count = pick(4); i < count; ++i)
      made += (i == 0 ? "" : ",") + blank() + "\"k" + std::to_string(i) + "\":" + blank() +
              value(depth + 1) + blank();
    return made + "}";
  }

 private:
  int pick(int count) { return std::uniform_int_distribution<>(0, count - 1)(random_); }
  std::string blank() { return pick(3) == 0 ? "\n " : " "; }
  std::string list(int depth) {
    std::string made = "[";
    for (int i = 0, count = pick(4); i < count; ++i)
      made += (i == 0 ? "" : ",") + blank() + value(depth + 1);
    return made + "]";
  }
  std::string text() {
    static constexpr std::string_view kPieces[] = {"a",  "\\n", "\\\"", "\\u00e9", ": ",    "#",
                                                   "- ", "\\/", "~",    "1",       "\u20ac"};
    std::string made = "\"";
    for (int i = 0, count = pick(5); i < count; ++i) made += kPieces[pick(std::size(kPieces))];
    return made + "\"";
  }

  std::mt19937 random_;
};

void expect_same(const SettingNode& one, const SettingNode& other) {
  EXPECT_EQ(one.kind, other.kind);
  EXPECT_EQ(one.quoted, other.quoted);
  EXPECT_EQ(one.line, other.line);
  EXPECT_EQ(one.text, other.text);
  ASSERT_EQ(one.keys.size(), other.keys.size());
  for (std::size_t i = 0; i < one.keys.size(); ++i) {
    EXPECT_EQ(one.keys[i].name, other.keys[i].name);
    EXPECT_EQ(one.keys[i].line, other.keys[i].line);
  }
  ASSERT_EQ(one.items.size(), other.items.size());
  for (std::size_t i = 0; i < one.items.size(); ++i) expect_same(one.items[i], other.items[i]);
}

// JSON is YAML.
TEST(Json, ComesToWhatItIsAsYaml) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const std::string text = Writer(seed).mapping(0);
    SCOPED_TRACE(text);
    expect_same(json(text),
                read_yaml(text, "a", [](int, const std::string& why) { FAIL() << why; }));
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace extproc::setting_text
