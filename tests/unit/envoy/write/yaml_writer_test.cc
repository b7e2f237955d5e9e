#include "envoy/write/yaml_writer.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace extproc::envoy_config {
namespace {

TEST(YamlWriter, BlocksAndItems) {
  YamlWriter out;
  {
    const auto outer = out.block("outer");
    out.field("key", "1");
    const auto list = out.block("list");
    {
      const auto item = out.item("name: a");
      out.field("more", "2");
    }
    out.line("- b");
  }
  out.field("after", "3");
  EXPECT_EQ(std::move(out).take(),
            "outer:\n"
            "  key: 1\n"
            "  list:\n"
            "    - name: a\n"
            "      more: 2\n"
            "    - b\n"
            "after: 3\n");
}

TEST(YamlWriter, LongCommentsAreBroken) {
  YamlWriter out;
  std::string words;
  for (int i = 0; i < 40; ++i) words += (i == 0 ? "" : " ") + std::string("word");
  out.comment(words);
  const std::string text = std::move(out).take();
  std::istringstream in(text);
  std::string joined;
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    EXPECT_TRUE(line.starts_with("# ")) << line;
    EXPECT_LE(line.size(), 110U);
    joined += (joined.empty() ? "" : " ") + line.substr(2);
  }
  EXPECT_EQ(joined, words);
  EXPECT_EQ(lines, 2);
}

TEST(Scalar, ComesBackAsTheSameString) {
  for (const char* value : {"",
                            "plain",
                            "two words",
                            "true",
                            "False",
                            "null",
                            "no",
                            "1",
                            "1.5",
                            "0x10",
                            "127.0.0.1",
                            "::1",
                            "/run/a.sock",
                            "a: b",
                            "a #b",
                            "-x",
                            "\"quoted\"",
                            "back\\slash",
                            "tab\tand\nline",
                            "{brace}",
                            "[list]",
                            "a,b",
                            "*alias",
                            "&anchor",
                            "caf\xc3\xa9",
                            "1e3",
                            "12:30"}) {
    const std::string text = scalar(value);
    // Also between braces, where more characters mean something.
    for (const std::string& document : {"key: " + text, "{ key: " + text + " }"}) {
      const YAML::Node node = YAML::Load(document)["key"];
      ASSERT_TRUE(node.IsScalar()) << document;
      EXPECT_EQ(node.Scalar(), value) << document;
    }
    bool is_bool = false;
    double is_number = 0;
    const YAML::Node alone = YAML::Load(text);
    const bool could_be_read_otherwise = YAML::convert<bool>::decode(alone, is_bool) ||
                                         YAML::convert<double>::decode(alone, is_number);
    EXPECT_TRUE(!could_be_read_otherwise || text.front() == '"') << text;
  }
}

TEST(Scalar, PlainWordsNeedNoQuotes) {
  for (const char* value : {"plain", "127.0.0.1", "/run/a.sock", "my-cluster_1", "example.com"}) {
    EXPECT_EQ(scalar(value), value);
  }
}

}  // namespace
}  // namespace extproc::envoy_config
