#include "setting_text/yaml.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "refusal.h"

namespace extproc::setting_text {
namespace {

using detail::SettingNode;
using Kind = SettingNode::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

SettingNode yaml(std::string_view text) {
  return read_yaml(text, "a.yaml", [](int, const std::string& why) { FAIL() << why; });
}

std::string refused_yaml(std::string_view text) {
  return refusal_of([&] { yaml(text); });
}

TEST(Yaml, WhatIsNothing) {
  for (const char* text : {"", "# a\n", "---\n", "~", "null"})
    EXPECT_EQ(yaml(text).kind, Kind::nothing) << text;
  EXPECT_EQ(yaml("\"\"").kind, Kind::scalar);
  EXPECT_EQ(yaml("'~'").kind, Kind::scalar);
}

TEST(Yaml, LinesAreThoseOfTheText) {
  const SettingNode root = yaml("# a\na:\n  - 1\n  - |\n    x\n    y\n\nb: {c: \"2\"}\n");
  EXPECT_EQ(root.line, 2);
  EXPECT_EQ(root.find("a")->items[1].line, 4);
  EXPECT_EQ(root.find("a")->items[1].text, "x\ny\n");
  EXPECT_TRUE(root.find("a")->items[1].quoted);
  EXPECT_EQ(root.find("b")->find("c")->line, 8);
}

TEST(Yaml, AKeyThatStandsTwiceIsTold) {
  std::vector<std::string> told;
  read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", "a.yaml", [&](int line, const std::string& why) {
    told.push_back(std::to_string(line) + " " + why);
  });
  EXPECT_THAT(told, ElementsAre("2 c is given twice, before in line 2: give it once",
                                "3 a is given twice, before in line 1: give it once"));
}

TEST(Yaml, WhatSettingsHaveNoNeedOf) {
  EXPECT_THAT(refused_yaml("a: &x 1\nb: *x\n"), StartsWith("a.yaml:1: anchors and aliases"));
  EXPECT_THAT(refused_yaml("a: &x [1]\n"), StartsWith("a.yaml:1: anchors and aliases"));
  EXPECT_THAT(refused_yaml("a: !thing 1\n"), StartsWith("a.yaml:1: tags"));
  EXPECT_THAT(refused_yaml("a: !!int 1\n"), StartsWith("a.yaml:1: tags"));
  EXPECT_THAT(refused_yaml("a: !!map {}\n"), StartsWith("a.yaml:1: tags"));
  EXPECT_TRUE(yaml("a: !!str 1\n").find("a")->quoted);
  EXPECT_TRUE(yaml("a: ! 1\n").find("a")->quoted);
  EXPECT_THAT(refused_yaml("a: 1\n---\nb: 2\n"), StartsWith("a.yaml:2: a second document"));
  EXPECT_THAT(refused_yaml("a: 1\n? [b]\n: 2\n"), StartsWith("a.yaml:2: a key must be a text"));
  EXPECT_THAT(refused_yaml("a: 1\n~: 2\n"), StartsWith("a.yaml:2: a key must be a text"));
}

TEST(Yaml, WhatIsNone) {
  EXPECT_THAT(refused_yaml("a: [1\n"), HasSubstr("it is no YAML"));
  EXPECT_THAT(refused_yaml("a: 1\n b: 2\n"), StartsWith("a.yaml:2: it is no YAML"));
  EXPECT_THAT(refused_yaml("a: \"x"), HasSubstr("it is no YAML"));
  EXPECT_THAT(refused_yaml("a: 1\nb: \xff\n"), StartsWith("a.yaml:2: it is no YAML"));
  EXPECT_THAT(refused_yaml(std::string_view("a: \0", 4)), HasSubstr("it is no YAML"));
}

TEST(Yaml, IsBounded) {
  EXPECT_THAT(refused_yaml(std::string(40, '[') + std::string(40, ']')), HasSubstr("32 levels"));
  std::string many = "a: [";
  for (int i = 0; i < 25'000; ++i) many += "1,";
  EXPECT_THAT(refused_yaml(many + "1]"), HasSubstr("20000 values"));
  EXPECT_THAT(refused_yaml(std::string((1 << 20) + 1, ' ')), HasSubstr("1048576 bytes"));
}

void expect_as(const YAML::Node& theirs, const SettingNode& ours) {
  switch (theirs.Type()) {
    case YAML::NodeType::Scalar:
      ASSERT_EQ(ours.kind, Kind::scalar);
      EXPECT_EQ(ours.text, theirs.Scalar());
      // What it knows of quotation marks.
      EXPECT_EQ(ours.quoted, theirs.Tag() == "!");
      return;
    case YAML::NodeType::Sequence:
      ASSERT_EQ(ours.kind, Kind::list);
      ASSERT_EQ(ours.items.size(), theirs.size());
      for (std::size_t i = 0; i < theirs.size(); ++i) expect_as(theirs[i], ours.items[i]);
      return;
    case YAML::NodeType::Map:
      ASSERT_EQ(ours.kind, Kind::mapping);
      ASSERT_EQ(ours.keys.size(), theirs.size());
      for (const auto& each : theirs) {
        const SettingNode* value = ours.find(each.first.Scalar());
        ASSERT_NE(value, nullptr) << each.first.Scalar();
        expect_as(each.second, *value);
      }
      return;
    default:
      EXPECT_EQ(ours.kind, Kind::nothing);
  }
}

// What Envoy reads its configuration with, in which people write both.
TEST(Yaml, ComesToWhatEnvoysParserReads) {
  for (const char* text : {
           "a: 1\nb: [x, 'y z', \"q\\n\\u00e9\", ~, {c: d, e: }]\n",
           "a:\n- 1\n- b: 2\n  c: 3\n-\n  - x\n-\n",
           "a: |\n  one\n  two\nb: >-\n  one\n  two\n\n  three\nc: |+\n  x\n\n",
           "a: plain over\n  two lines\nb: 'it''s'\nc: \"a\\\n  b\"\n",
           "--- # begins\na: {b: {c: [1, [2, [3]]]}}\n...\n",
           "\"a b\": 1\n? c\n: 2\n'd': http://x:80/y#z\ne: a #b\nf: a#b\n",
           "%YAML 1.1\n---\na: yes\nb: .inf\nc: 0x10\nd: 1_000\n",
           "\uFEFFa: 1\r\nb:\r\n  - x\r\n",
           "a: [\n  1,\n\n  2 # two\n  ,\n]\n",
           "processors: [{name: a.A, settings: {b: c}}]\nprocessing_mode: {d: E}\n",
       }) {
    SCOPED_TRACE(text);
    expect_as(YAML::Load(text), yaml(text));
  }
}

}  // namespace
}  // namespace extproc::setting_text
