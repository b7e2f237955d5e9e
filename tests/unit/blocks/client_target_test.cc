// What an HTTP client sends, and where: URLs and requests as bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "blocks/client/target.h"
#include "extproc/client.h"

namespace extproc::client {
namespace {

using ::testing::HasSubstr;

TEST(ClientTarget, UrlsThatAreNoneAreRefused) {
  for (const char* url : {"",
                          "/path",
                          "ftp://a",
                          "http://",
                          "http:///path",
                          "http://a b/",
                          "http://a/b c",
                          "http://user@a/",
                          "http://user:p@a/",
                          "http://[::1",
                          "http://[x]/",
                          "http://a:0/",
                          "http://a:65536/",
                          "http://a:b/",
                          "http://a/\r\nx: y",
                          "http://a\r\n/",
                          "http://\xc3\xa4/",
                          "http://a/\xc3\xa4",
                          "http://a:1:2/",
                          "http://[::1]x/",
                          "http:a"}) {
    EXPECT_THROW(static_cast<void>(parse_target(url)), Failure) << url;
  }
}

TEST(ClientTarget, UrlsSayWhereAndWhat) {
  const auto read = [](std::string_view url) {
    const Target target = parse_target(url);
    return target.origin.text() + " " + target.authority + " " + target.path;
  };
  EXPECT_EQ(read("http://A.example"), "http://a.example:80 A.example /");
  EXPECT_EQ(read("HTTPS://a:8443?x=http://b@c"), "https://a:8443 a:8443 /?x=http://b@c");
  EXPECT_EQ(read("https://[::1]:444/a//b?c#d?e"), "https://[::1]:444 [::1]:444 /a//b?c");
  EXPECT_EQ(read("http://[2001:db8::a]#/"), "http://[2001:db8::a]:80 [2001:db8::a] /");
  EXPECT_EQ(read("http://127.0.0.1:/x"), "http://127.0.0.1:80 127.0.0.1: /x");
}

TEST(ClientTarget, NothingIsSentThatEndsALine) {
  const Target target = parse_target("http://a/");
  const auto refused = [&](Request request) {
    EXPECT_THROW(static_cast<void>(request_text(request, target)), Failure);
  };
  refused({.method = ""});
  refused({.method = "GET /x HTTP/1.1\r\nx:"});
  refused({.method = "CONNECT"});
  refused({.headers = {{"", "x"}}});
  refused({.headers = {{"a b", "x"}}});
  refused({.headers = {{"a:b", "x"}}});
  refused({.headers = {{"a", "x\r\ny: z"}}});
  refused({.headers = {{"a", std::string("x\0y", 3)}}});
  for (const char* own : {"Host", "content-length", "Transfer-Encoding", "connection", "TE",
                          "trailer", "upgrade", "expect", "keep-alive"}) {
    refused({.headers = {{own, "x"}}});
  }
  EXPECT_THAT(request_text({.method = "PUT"}, target), HasSubstr("\r\ncontent-length: 0\r\n\r\n"));
}

}  // namespace
}  // namespace extproc::client
