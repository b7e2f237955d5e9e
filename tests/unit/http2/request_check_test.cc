#include "http2/request_check.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace extproc::http2 {
namespace {

using Part = RequestCheck::Part;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMostBytes = 65'536;

RequestCheck check(Part part, const Pairs& headers, std::size_t most_bytes = kMostBytes) {
  RequestCheck check(part, most_bytes);
  for (const auto& [name, value] : headers) check.add(name, value);
  return check;
}

/// With everything that a request needs before them.
bool passes(const Pairs& headers) {
  Pairs all = {{":method", "POST"}, {":scheme", "http"}, {":path", "/p"}};
  all.insert(all.end(), headers.begin(), headers.end());
  return check(Part::headers, all).passed();
}

TEST(RequestCheck, PseudoHeaders) {
  const std::pair<Pairs, bool> cases[] = {
      {{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a:80"}}, true},
      {{{":path", "*"}, {":scheme", "http"}, {":method", "OPTIONS"}}, true},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "/a/b"}}, true},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a|8|"}}, true},
      {{{":method", "CONNECT"}, {":authority", "a:80"}}, true},
      {{{":method", "CONNECT"}, {":authority", "a:80"}, {":path", "/"}}, false},
      {{{":method", "CONNECT"}}, false},
      {{}, false},
      {{{":scheme", "http"}, {":path", "/"}}, false},
      {{{":method", "GET"}, {":path", "/"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", ""}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "p"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/ "}}, false},
      {{{":method", "G T"}, {":scheme", "http"}, {":path", "/"}}, false},
      {{{":method", ""}, {":scheme", "http"}, {":path", "/"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a b"}}, false},
      {{{":method", "GET"}, {":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":path", "/"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":path", "/"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":status", "200"}}, false},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":", ""}}, false},
  };
  for (const auto& [headers, passed] : cases)
    EXPECT_EQ(check(Part::headers, headers).passed(), passed) << ::testing::PrintToString(headers);
}

TEST(RequestCheck, RegularHeaders) {
  EXPECT_TRUE(passes({{"x-a", "1"}, {"x-a", ""}, {"te", "trailers"}, {"x-text", "\xC3\xA4 \t~"}}));
  for (const auto& header : Pairs{{"X-A", "1"},
                                  {"x a", "1"},
                                  {"", "1"},
                                  {"x-a", std::string("a\0b", 3)},
                                  {"x-a", "a\nb"},
                                  {"x-a", " a"},
                                  {"x-a", "a "},
                                  {"connection", "close"},
                                  {"keep-alive", "1"},
                                  {"proxy-connection", "1"},
                                  {"transfer-encoding", "chunked"},
                                  {"upgrade", "h2c"},
                                  {"te", "gzip"},
                                  {"te", "trailers, gzip"}})
    EXPECT_FALSE(passes({header})) << ::testing::PrintToString(header);
}

TEST(RequestCheck, ContentLength) {
  EXPECT_EQ(check(Part::headers, {{"content-length", "0"}}).content_length(), 0);
  EXPECT_EQ(check(Part::headers, {{"content-length", "9223372036854775807"}}).content_length(),
            9'223'372'036'854'775'807);
  EXPECT_EQ(check(Part::headers, {}).content_length(), std::nullopt);
  EXPECT_TRUE(passes({{"content-length", "12"}}));
  for (const std::string value : {"", "-1", "+1", "1x", "1,1", "9223372036854775808"})
    EXPECT_FALSE(passes({{"content-length", value}})) << value;
  EXPECT_FALSE(passes({{"content-length", "1"}, {"content-length", "1"}}));
}

TEST(RequestCheck, WhatIsOverTheLimitIsNotLookedAt) {
  const Pairs wrong = {{"x-a", "1"}, {"X-A", "1"}};
  for (const Part part : {Part::headers, Part::trailers}) {
    EXPECT_FALSE(check(part, wrong, 72).passed());
    EXPECT_TRUE(check(part, wrong, 71).passed());
    // Nor what fits again behind it.
    EXPECT_TRUE(check(part, {{"x-a", "1234567890"}, {"X", ""}}, 40).passed());
  }
}

TEST(RequestCheck, Trailers) {
  EXPECT_TRUE(check(Part::trailers, {}).passed());
  EXPECT_TRUE(check(Part::trailers, {{"x-a", "1"}, {"content-length", "x"}}).passed());
  EXPECT_FALSE(check(Part::trailers, {{":path", "/"}}).passed());
  EXPECT_FALSE(check(Part::trailers, {{"X-A", "1"}}).passed());
}

}  // namespace
}  // namespace extproc::http2
