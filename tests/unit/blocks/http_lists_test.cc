// Lists, quality values and media types, with the examples of RFC 9110.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

#include "extproc/http.h"

namespace extproc::http {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(HttpLists, ElementsStandBetweenCommas) {
  EXPECT_THAT(split_list("foo , ,bar,charlie"), ElementsAre("foo", "bar", "charlie"));  // 5.6.1.2
  EXPECT_THAT(split_list("a;x=\"1,\\\",2\",\tb "), ElementsAre("a;x=\"1,\\\",2\"", "b"));
  EXPECT_THAT(split_list(" ,\t,"), IsEmpty());
  EXPECT_THAT(split_list("\"open, end"), ElementsAre("\"open, end"));
  const std::vector<Header> headers = {{"vary", "a, B"}, {"x", "c"}, {"vary", "d"}};
  EXPECT_THAT(list_of(HeaderView(headers), "Vary"), ElementsAre("a", "B", "d"));
  EXPECT_TRUE(has_token(HeaderView(headers), "vary", "b"));
  EXPECT_FALSE(has_token(HeaderView(headers), "vary", "c"));
}

TEST(HttpLists, QuotesComeAndGo) {
  EXPECT_EQ(unquoted(R"("a\"b\\c")"), R"(a"b\c)");
  EXPECT_EQ(unquoted("token"), "token");
  EXPECT_EQ(unquoted("\"open"), "\"open");
  EXPECT_EQ(unquoted("\""), "\"");
  EXPECT_EQ(quoted(R"(a"b\c)"), R"("a\"b\\c")");
  EXPECT_EQ(unquoted(quoted("x, \\\"y")), "x, \\\"y");
}

TEST(HttpLists, QualitiesSort) {
  EXPECT_THAT(parse_qualities("gzip;q=1.0, identity; q=0.5, *;q=0, br"),  // 12.5.3
              ElementsAre(Weighted{"gzip", 1000}, Weighted{"br", 1000}, Weighted{"identity", 500},
                          Weighted{"*", 0}));
  EXPECT_THAT(parse_qualities("text/html;level=1;Q=0.123;ext=1"),
              ElementsAre(Weighted{"text/html;level=1", 123}));
  EXPECT_THAT(parse_qualities("a;q=2, b;q=, c;q=0.1234, d;q=-1, e;q=1.001, f;q=0., g;q=1.000"),
              ElementsAre(Weighted{"g", 1000}, Weighted{"f", 0}));
}

TEST(HttpLists, TheServersFavouriteWinsAmongEquals) {
  const std::vector<std::string_view> offers = {"br", "gzip", "identity"};
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"compress, gzip", "gzip"},  // 12.5.3
      {"", "identity"},
      {"*", "br"},
      {"compress;q=0.5, gzip;q=1.0", "gzip"},
      {"gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"},
      {"GZIP, BR", "br"},
      {"gzip;q=0.001", "gzip"},
      {"br;q=0, gzip;q=0.2, identity;q=0.3", "identity"}};
  for (const auto& [header, expected] : cases) {
    EXPECT_THAT(preferred(header, offers), Optional(Eq(expected))) << header;
  }
  EXPECT_EQ(preferred("identity;q=0", {"identity"}), std::nullopt);
  EXPECT_EQ(preferred("*;q=0", offers), std::nullopt);
  EXPECT_EQ(preferred("compress", {"br", "gzip"}), std::nullopt);
}

TEST(HttpLists, MediaTypesAreComparedInLowerCase) {
  for (const std::string_view text :  // 8.3.1
       {"text/html;charset=utf-8", "Text/HTML;Charset=\"utf-8\"", "text/html; charset=\"utf-8\" ",
        "text/html;charset=utf-8;"}) {
    const auto type = MediaType::parse(text);
    ASSERT_TRUE(type) << text;
    EXPECT_EQ(type->essence(), "text/html");
    EXPECT_THAT(type->param("CHARSET"), Optional(Eq("utf-8")));
  }
  for (const std::string_view bad : {"", "text", "text/", "/html", "a b/c", "a/b;c", "a/b;c=\"d",
                                     "a/b;c=\"d\"e", "a/b;c=d e", "a/b/c"}) {
    EXPECT_FALSE(MediaType::parse(bad)) << bad;
  }
  EXPECT_TRUE(MediaType::parse("application/problem+json; charset=utf-8")->is_json());
  EXPECT_TRUE(MediaType::parse("Application/JSON")->is_json());
  EXPECT_FALSE(MediaType::parse("application/jsonp")->is_json());
  EXPECT_FALSE(MediaType::parse("text/x+json")->is_json());
}

TEST(HttpLists, TheMostSpecificRangeDecides) {
  const std::string_view accept = "text/*;q=0.3, text/plain;q=0.7, text/html, */*;q=0.5";  // 12.5.1
  EXPECT_EQ(accepted(accept, *MediaType::parse("text/html")), 1000);
  EXPECT_EQ(accepted(accept, *MediaType::parse("text/plain")), 700);
  EXPECT_EQ(accepted(accept, *MediaType::parse("text/css")), 300);
  EXPECT_EQ(accepted(accept, *MediaType::parse("image/jpeg")), 500);
  EXPECT_EQ(accepted("text/html", *MediaType::parse("image/jpeg")), 0);
  EXPECT_EQ(accepted("image/*;q=0, */*", *MediaType::parse("image/jpeg")), 0);
  EXPECT_EQ(accepted("", *MediaType::parse("image/jpeg")), 1000);
}

}  // namespace
}  // namespace extproc::http
