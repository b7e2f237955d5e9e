#include "grpc/metadata_builder.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace extproc::grpc {
namespace {

using namespace std::chrono_literals;
using Verdict = CallHead::Verdict;
using Headers = std::vector<std::pair<std::string, std::string>>;

Metadata build(MetadataBuilder& builder, const Headers& headers) {
  builder.begin();
  for (const auto& [name, value] : headers) builder.add(name, value);
  return builder.finish();
}

Headers headers_of(const Metadata& metadata) {
  Headers headers;
  for (std::size_t i = 0; i < metadata.size(); ++i) headers.emplace_back(metadata.at(i));
  return headers;
}

Headers call_headers(const Headers& extra = {}) {
  Headers headers = {{":method", "POST"}, {":path", "/a/b"}, {"content-type", "application/grpc"}};
  headers.insert(headers.end(), extra.begin(), extra.end());
  return headers;
}

TEST(MetadataBuilder, LeavesPseudoHeadersOut) {
  MetadataBuilder builder(1000);
  const Metadata metadata = build(builder, call_headers({{"x", "1"}, {"x", "2"}, {"empty", ""}}));
  EXPECT_EQ(headers_of(metadata),
            (Headers{{"content-type", "application/grpc"}, {"x", "1"}, {"x", "2"}, {"empty", ""}}));
  EXPECT_EQ(metadata.get("x"), "1");
  EXPECT_EQ(metadata.get("empty"), "");
  EXPECT_EQ(metadata.get(":path"), std::nullopt);
  EXPECT_EQ(builder.head().path, "/a/b");
  EXPECT_EQ(Metadata().size(), 0U);
  EXPECT_EQ(Metadata().get("x"), std::nullopt);
}

TEST(MetadataBuilder, SharesEqualHeadersAndNoOthers) {
  MetadataBuilder builder(1000);
  const Headers a = call_headers({{"x", "1"}, {"y", "2"}});
  const Metadata first = build(builder, a);
  const Metadata same = build(builder, a);
  EXPECT_EQ(first.at(0).first.data(), same.at(0).first.data());
  for (const Headers& other : {call_headers({{"x", "1"}}), call_headers({{"x", "1"}, {"y", "3"}}),
                               call_headers({{"x", "1"}, {"y", "2"}, {"z", "3"}}),
                               call_headers({{"x1", ""}, {"y", "2"}}), call_headers()}) {
    build(builder, a);
    const Metadata different = build(builder, other);
    EXPECT_EQ(headers_of(different), Headers(other.begin() + 2, other.end()));
    EXPECT_NE(first.at(0).first.data(), different.at(0).first.data());
  }
  EXPECT_EQ(headers_of(first), Headers(a.begin() + 2, a.end()));
}

TEST(MetadataBuilder, CountsAsTheSettingDoes) {
  const Headers headers = call_headers({{"x", "12345"}});
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) bytes += name.size() + value.size() + 32;
  MetadataBuilder exact(bytes);
  build(exact, headers);
  EXPECT_EQ(exact.head().verdict, Verdict::accepted);
  MetadataBuilder less(bytes - 1);
  const Metadata none = build(less, headers);
  EXPECT_EQ(less.head().verdict, Verdict::too_large);
  EXPECT_EQ(none.size(), 0U);
  // The next call is judged by its own headers.
  build(less, call_headers());
  EXPECT_EQ(less.head().verdict, Verdict::accepted);
}

TEST(MetadataBuilder, JudgesTheCall) {
  const auto with = [](std::string method, std::string content_type, Headers extra = {}) {
    Headers headers = {{":method", std::move(method)}, {":path", "/a"}};
    if (!content_type.empty()) headers.emplace_back("content-type", std::move(content_type));
    headers.insert(headers.end(), extra.begin(), extra.end());
    return headers;
  };
  const struct {
    Headers headers;
    Verdict verdict;
  } cases[] = {
      {with("POST", "application/grpc"), Verdict::accepted},
      {with("POST", "application/grpc+proto"), Verdict::accepted},
      {with("POST", "application/grpc;charset=utf-8"), Verdict::accepted},
      {with("POST", "application/grpc", {{"grpc-encoding", "identity"}}), Verdict::accepted},
      {with("GET", "application/grpc"), Verdict::wrong_method},
      {with("CONNECT", ""), Verdict::wrong_method},
      {with("POST", ""), Verdict::wrong_content_type},
      {with("POST", "application/grpcx"), Verdict::wrong_content_type},
      {with("POST", "application/grpc-web"), Verdict::wrong_content_type},
      {with("POST", "application/json"), Verdict::wrong_content_type},
      {with("POST", "application/grpc", {{"grpc-encoding", "gzip"}}), Verdict::wrong_encoding},
      {with("POST", "application/grpc", {{"grpc-timeout", "1x"}}), Verdict::wrong_timeout},
  };
  MetadataBuilder builder(1000);
  for (const auto& c : cases) {
    build(builder, c.headers);
    EXPECT_EQ(builder.head().verdict, c.verdict) << ::testing::PrintToString(c.headers);
  }
  build(builder, with("POST", "application/grpc", {{"grpc-timeout", "2S"}}));
  EXPECT_EQ(builder.head().timeout, 2s);
  build(builder, with("POST", "application/grpc"));
  EXPECT_EQ(builder.head().timeout, std::nullopt);
}

}  // namespace
}  // namespace extproc::grpc
