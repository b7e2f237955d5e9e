#include "trace/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "extproc/error.h"

namespace extproc::trace {
namespace {

TEST(Endpoint, IsReadOutOfAUrl) {
  struct Row {
    const char* url;
    bool secure;
    const char* host;
    const char* port;
    const char* target;
    const char* host_header;
  };
  for (const Row& row :
       {Row{"http://localhost:4318/v1/traces", false, "localhost", "4318", "/v1/traces",
            "localhost:4318"},
        {"http://collector", false, "collector", "80", "/", "collector"},
        {"https://example.com/a/b?key=1", true, "example.com", "443", "/a/b?key=1", "example.com"},
        {"http://[::1]:4318/", false, "::1", "4318", "/", "[::1]:4318"},
        {"http://[fe80::1]", false, "fe80::1", "80", "/", "[fe80::1]"},
        {"http://h?x", false, "h", "80", "/?x", "h"}}) {
    const Endpoint endpoint = parse_endpoint("E", row.url);
    EXPECT_EQ(endpoint.secure, row.secure) << row.url;
    EXPECT_EQ(endpoint.host, row.host);
    EXPECT_EQ(endpoint.port, row.port);
    EXPECT_EQ(endpoint.target, row.target);
    EXPECT_EQ(endpoint.host_header, row.host_header);
  }
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* url :
       {"", "localhost:4318", "http://", "http://:80", "ftp://a", "HTTP://a", "http://a:0",
        "http://a:65536", "http://a:x", "http://a:", "http://[::1", "http://[::1]x:1", "http://[]",
        "http://user@a", "http://a/#f", "http://a b", "http://a/\r\nx: y", "http://\xc3\xa4"}) {
    try {
      parse_endpoint("E", url);
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith("E is \""));
    }
  }
}

TEST(Endpoint, TellsNoPassword) {
  for (const auto& [url, told] :
       {std::pair{"http://u:secret@h:4318", "http://...@h:4318"},
        {"http://u:secret@h:4318/v1/traces", "http://...@h:4318/v1/traces"},
        {"https://u:se@secret/secret#//@h", "https://...@h"},
        {"secret@h", "...@h"},
        {"u:secret@h://x", "...@h://x"}}) {
    try {
      parse_endpoint("E", url);
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith("E is \"" + std::string(told) + "\": "));
      EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("secret")));
    }
  }
}

}  // namespace
}  // namespace extproc::trace
