#include "settings_file/tree.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <string>

#include "written.h"

namespace extproc::settings_file {
namespace {

using detail::SettingNode;
using ::testing::HasSubstr;

SettingNode tree(std::string_view text) {
  Errors errors("a.yaml");
  SettingNode root = read_tree(text, errors);
  errors.throw_if_any();
  return root;
}

std::string refused_tree(std::string_view text) {
  return refusal_of([&] { tree(text); });
}

TEST(Tree, KeepsLinesAndKinds) {
  const SettingNode root = tree("a: 1\nb:\n  - x\n  - \"2\"\nc: {d: ~}\n");
  ASSERT_EQ(root.kind, SettingNode::Kind::mapping);
  EXPECT_EQ(root.find("a")->text, "1");
  EXPECT_FALSE(is_text(*root.find("a")));
  const SettingNode& list = *root.find("b");
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[1].line, 4);
  EXPECT_TRUE(is_text(list.items[0]));
  EXPECT_TRUE(is_text(list.items[1]));
  EXPECT_EQ(root.find("c")->find("d")->kind, SettingNode::Kind::nothing);
  EXPECT_EQ(root.keys[2].line, 5);
  EXPECT_EQ(root.find("e"), nullptr);
  EXPECT_EQ(tree("").kind, SettingNode::Kind::nothing);
}

TEST(Tree, WhatIsNoTextToYaml) {
  for (const char* text : {"1", "-1", "0.5", ".5", "1e3", "true", "FALSE", ".inf"}) {
    EXPECT_FALSE(is_text({.kind = SettingNode::Kind::scalar, .text = text})) << text;
    EXPECT_TRUE(is_text({.kind = SettingNode::Kind::scalar, .quoted = true, .text = text}));
  }
  for (const char* text : {"16m", "x", "-", "1.2.3.4", "info", "unix:/a", "yes", "inf", "nan"})
    EXPECT_TRUE(is_text({.kind = SettingNode::Kind::scalar, .text = text})) << text;
}

TEST(Tree, DuplicatesAreToldWithBothLines) {
  EXPECT_EQ(refused_tree("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
            "a.yaml has 2 errors:\n"
            "a.yaml:2: c is given twice, before in line 2: give it once\n"
            "a.yaml:3: a is given twice, before in line 1: give it once");
}

TEST(Tree, FilesThatCannotBeRead) {
  const std::string folder = ::testing::TempDir();
  EXPECT_THAT(refusal_of([&] { read_file(folder + "none.yaml"); }),
              HasSubstr("there is no such file"));
  EXPECT_THAT(refusal_of([&] { read_file(folder); }), HasSubstr("is no file"));
  const std::string pipe = folder + "settings-pipe";
  ::mkfifo(pipe.c_str(), 0600);
  EXPECT_THAT(refusal_of([&] { read_file(pipe); }), HasSubstr("is no file"));
  ::unlink(pipe.c_str());
  const Written large(std::string((1 << 20) + 1, '#'));
  EXPECT_THAT(refusal_of([&] { read_file(large.path()); }), HasSubstr("more than"));
  const Written good("a: 1");
  EXPECT_EQ(read_file(good.path()), "a: 1");
}

TEST(Tree, SameAs) {
  const SettingNode one = tree("a: 1\nb: [x, {c: 2, d: 3}]\n");
  EXPECT_TRUE(one.same_as(tree("\n\nb: [\"x\", {d: 3, c: 2}]\na: 1\n")));
  for (const char* other : {"a: 1", "a: 1\nb: [x, {c: 2, d: 4}]", "a: 1\nb: [{c: 2, d: 3}, x]",
                            "a: 1\nb: [x, {c: 2, e: 3}]", "a: 1\nb: {x: 1, c: 2}"})
    EXPECT_FALSE(one.same_as(tree(other))) << other;
}

}  // namespace
}  // namespace extproc::settings_file
