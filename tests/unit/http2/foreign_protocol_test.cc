#include "http2/foreign_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace extproc::http2 {
namespace {

using ::testing::HasSubstr;

TEST(ForeignProtocol, IsNamed) {
  struct Row {
    std::string_view bytes;
    const char* named;
  };
  using namespace std::string_view_literals;
  constexpr const char* kUnknown = "no HTTP/2 connection preface";
  const Row rows[] = {
      {"\x16\x03\x01\x00\xf4"sv, "TLS ClientHello"},
      {"\x16\x03"sv, "TLS ClientHello"},
      {"\x16"sv, kUnknown},
      {"\x16\x02"sv, kUnknown},
      {"GET / HTTP/1.1\r\n"sv, "HTTP/1 came"},
      {"POST /a/b"sv, "HTTP/1 came"},
      {"OPTIONS * HTTP/1.0\r\n"sv, "HTTP/1 came"},
      {"CONNECT a:1 HTTP/1.1\r\n"sv, "HTTP/1 came"},
      {"M-SEARCH http://a/ "sv, "HTTP/1 came"},
      {"PRI * HTTP/1.1\r\n"sv, "HTTP/1 came"},
      {"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"sv, "PROXY protocol"},
      {"\r\n\r\n\0\r\nQUIT\n\x21\x11"sv, "PROXY protocol"},
      {"GET"sv, kUnknown},
      {"GET "sv, kUnknown},
      {"get / HTTP/1.1\r\n"sv, kUnknown},
      {"SSH-2.0-OpenSSH_9.2\r\n"sv, kUnknown},
      {"HELO there\r\n"sv, kUnknown},
      {"\0\0\0\4\0\0\0\0\0"sv, kUnknown},
      {""sv, kUnknown},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(foreign_protocol(row.bytes), HasSubstr(row.named)) << row.bytes;
  }
}

TEST(ForeignToTls, IsNamedByItsFirstBytes) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "clear text (HTTP/2)"},
      {"GET / HTTP/1.1\r\n\r\n", "clear text to a port"},
      {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY protocol"},
      {{"\r\n\r\n\0\r\nQUIT\n", 12}, "PROXY protocol"}};
  for (const auto& [bytes, named] : cases)
    EXPECT_THAT(foreign_to_tls(bytes), HasSubstr(named)) << bytes;
}

TEST(ForeignToTls, WhatMayBeTlsIsNot) {
  EXPECT_EQ(foreign_to_tls(""), "");
  EXPECT_EQ(foreign_to_tls("\x16"), "");
  EXPECT_EQ(foreign_to_tls("\x16\x03\x01"), "");
}

}  // namespace
}  // namespace extproc::http2
