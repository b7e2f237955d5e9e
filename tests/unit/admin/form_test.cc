#include "admin/form.h"

#include <gtest/gtest.h>

namespace extproc::admin {
namespace {

TEST(Form, HasValuesByName) {
  EXPECT_EQ(form_value("level=DEBUG", "level"), "DEBUG");
  EXPECT_EQ(form_value("a=b&level=x&level=y", "level"), "x");
  EXPECT_EQ(form_value("a=b+c%20d%26", "a"), "b c d&");
  EXPECT_EQ(form_value("%61=1", "a"), "1");
  EXPECT_EQ(form_value("level", "level"), "");
  EXPECT_EQ(form_value("a=1=2", "a"), "1=2");
  EXPECT_EQ(form_value("", "level"), std::nullopt);
  EXPECT_EQ(form_value("levels=1", "level"), std::nullopt);
}

TEST(Form, TakesNoWrongEscapes) {
  for (const char* text : {"a=%", "a=%4", "a=%zz", "a=%-1", "a=%+4", "%=1"})
    EXPECT_EQ(form_value(text, "a"), std::nullopt) << text;
}

TEST(Form, TypesAreWithoutParameters) {
  EXPECT_EQ(media_type("Text/HTML; charset=utf-8"), "text/html");
  EXPECT_EQ(media_type(" a/b "), "a/b");
  EXPECT_EQ(media_type(""), "");
}

TEST(Form, AcceptNamesTypes) {
  EXPECT_TRUE(names_type("a/b, text/html", "text/html"));
  EXPECT_TRUE(names_type("text/html;q=0.1", "text/html"));
  EXPECT_FALSE(names_type("text/html;q=0", "text/html"));
  EXPECT_FALSE(names_type("text/html; q=0.0", "text/html"));
  EXPECT_FALSE(names_type("text/htmlx", "text/html"));
  EXPECT_FALSE(names_type("*/*", "text/html"));
}

}  // namespace
}  // namespace extproc::admin
