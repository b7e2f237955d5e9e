// Cookies, with the examples of RFC 6265.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
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

TEST(HttpCookies, AHeaderHasSeveral) {
  EXPECT_THAT(parse_cookies("SID=31d4d96e407aad42; lang=en-US"),  // 3.1
              ElementsAre(Cookie{"SID", "31d4d96e407aad42"}, Cookie{"lang", "en-US"}));
  EXPECT_THAT(parse_cookies(" a = \"b=c\" ;;x; =y;a=;"),
              ElementsAre(Cookie{"a", "\"b=c\""}, Cookie{"a", ""}));
  EXPECT_THAT(parse_cookies(""), IsEmpty());
}

TEST(HttpCookies, OneIsFoundInAllHeaders) {
  const std::vector<Header> headers = {
      {"cookie", "a=1"}, {"x", "b=0"}, {"cookie", "B=3; b=2"}, {"cookie", "b=4"}};
  EXPECT_THAT(cookie(HeaderView(headers), "b"), Optional(Eq("2")));
  EXPECT_EQ(cookie(HeaderView(headers), "c"), std::nullopt);
  EXPECT_EQ(without_cookie("a=1; b=2;c=3; b=4", "b"), "a=1; c=3");
  EXPECT_EQ(without_cookie("b=2", "b"), "");
}

TEST(HttpCookies, SetCookieIsReadAsBrowsersDo) {
  const auto set = SetCookie::parse(
      "SID=31d4d96e407aad42; Path=/; Domain=.Example.com; Secure; HttpOnly; "
      "Expires=Wed, 09 Jun 2021 10:18:14 GMT; max-age=60; SameSite=lax; priority=high");
  ASSERT_TRUE(set);
  const SetCookie expected{.name = "SID",
                           .value = "31d4d96e407aad42",
                           .expires = "Wed, 09 Jun 2021 10:18:14 GMT",
                           .max_age = 60,
                           .domain = "example.com",
                           .path = "/",
                           .secure = true,
                           .http_only = true,
                           .same_site = SameSite::lax};
  EXPECT_EQ(*set, expected);
  EXPECT_THAT(set->text(),
              Optional(Eq("SID=31d4d96e407aad42; Expires=Wed, 09 Jun 2021 10:18:14 GMT; "
                          "Max-Age=60; Domain=example.com; Path=/; Secure; HttpOnly; "
                          "SameSite=Lax")));
  EXPECT_EQ(SetCookie::parse(*set->text()), set);
}

TEST(HttpCookies, TheLastAttributeCountsAndBadOnesDoNot) {
  EXPECT_EQ(SetCookie::parse("a=b; path=/x; path=/y")->path, "/y");
  EXPECT_EQ(SetCookie::parse("a=b; path=x")->path, "");
  const std::vector<std::pair<std::string_view, std::optional<std::int64_t>>> ages = {
      {"0", 0},
      {"-5", 0},
      {"x", std::nullopt},
      {"1x", std::nullopt},
      {"", std::nullopt},
      {"-", std::nullopt},
      {"99999999999999999999", std::numeric_limits<std::int64_t>::max()}};
  for (const auto& [text, expected] : ages) {
    EXPECT_EQ(SetCookie::parse("a=b; Max-Age=" + std::string(text))->max_age, expected) << text;
  }
  for (const std::string_view bad : {"", "a", "=b", "; a=b"}) {
    EXPECT_FALSE(SetCookie::parse(bad)) << bad;
  }
}

TEST(HttpCookies, WhatWouldEndAHeaderIsNotWritten) {
  EXPECT_FALSE((SetCookie{.name = "a b", .value = "1"}.text()));
  EXPECT_FALSE((SetCookie{.name = "a", .value = "1; Secure"}.text()));
  EXPECT_FALSE((SetCookie{.name = "a", .value = "1\r\nx: y"}.text()));
  EXPECT_FALSE((SetCookie{.name = "a", .value = "1", .path = "/\n"}.text()));
  EXPECT_FALSE((SetCookie{.name = "", .value = "1"}.text()));
}

}  // namespace
}  // namespace extproc::http
