// Handlers over whole bodies that know of no encoding, with bodies that have one.
#include "extproc/decoded.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

#include "extproc/needs.h"
#include "extproc/testing/envoy.h"

namespace extproc::coding {
namespace {

using ::testing::Contains;
using testing::Envoy;
using testing::EnvoyResult;
using testing::Exchange;
using ::testing::HasSubstr;
using testing::HeaderList;
using testing::HttpMessage;
using ::testing::Pair;

/// Does what x-do says, of both bodies.
class Changes : public AsyncProcessor {
 public:
  explicit Changes(std::string prefix) : prefix_(std::move(prefix)) {}

  Task<> process_request_headers(const HttpHeaders& headers, Context&, Request& request,
                                 HeadersResponse& response) override {
    request.state<std::string>() = headers.value("x-do").value_or("");
    response.set_header("x-seen", "1");
    co_return;
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request& request) override {
    co_await change(body, request.state<std::string>());
  }
  Task<> stream_response_body(BodyStream& body, Context&, Request& request) override {
    co_await change(body, request.state<std::string>());
  }
  DecodeLimits decode_limits() const { return {.bytes = 1 << 20}; }

 private:
  Task<> change(BodyStream& body, const std::string& what) {
    if (what == "nothing") co_return;
    if (what == "respond") {
      body.response().respond({.status = 418});
      co_return;
    }
    body.write(prefix_);
    while (auto chunk = co_await body.read()) {
      std::string text(chunk->bytes());
      for (char& c : text) c = c == 'l' ? 'L' : c;
      body.write(text);
      if (text.empty()) continue;
      if (what == "first") co_return;
      if (what == "finish") {
        body.finish();
        co_return;
      }
    }
  }

  const std::string prefix_;
};

constexpr Coding kCodings[] = {Coding::gzip, Coding::deflate, Coding::br, Coding::zstd};
constexpr std::string_view kModes[] = {"BUFFERED", "STREAMED", "FULL_DUPLEX_STREAMED"};

std::string with_big_l(std::string text) {
  for (char& c : text) c = c == 'l' ? 'L' : c;
  return text;
}

class DecodedTest : public ::testing::Test {
 protected:
  static HttpMessage message(std::string_view encoding, const std::string& bytes,
                             HeaderList more = {}) {
    HttpMessage message{.headers = {{"content-length", std::to_string(bytes.size())}}};
    if (!encoding.empty()) message.headers.emplace_back("content-encoding", encoding);
    message.headers.insert(message.headers.end(), more.begin(), more.end());
    for (std::size_t at = 0; at < bytes.size(); at += 700)
      message.body.push_back(bytes.substr(at, 700));
    return message;
  }
  EnvoyResult play(std::string_view mode, HttpMessage request, HttpMessage upstream,
                   std::string_view what = "") {
    const std::string trailers = mode == "FULL_DUPLEX_STREAMED" ? "SEND" : "SKIP";
    const std::string name(mode);
    const Envoy envoy("processing_mode: {request_body_mode: " + name +
                      ", response_body_mode: " + name + ", request_trailer_mode: " + trailers +
                      ", response_trailer_mode: " + trailers + "}");
    request.headers.emplace_back(":method", "POST");
    request.headers.emplace_back("x-do", what);
    auto result =
        envoy.run(processor, {.request = std::move(request), .upstream = std::move(upstream)});
    EXPECT_TRUE(result.violations.empty());
    // That the stream ended with an error is for the test to say.
    for (const auto& refusal : result.refusals)
      EXPECT_EQ(refusal.rule, "grpc_error") << mode << ' ' << refusal.field << refusal.text;
    return result;
  }

  Service processor = Service::make<Decoded<Changes>>("> ");
  std::string text = [] {
    std::string all;
    for (int i = 0; i < 3'000; ++i) all += "line " + std::to_string(i * 7919) + " hello\n";
    return all;
  }();
};

TEST_F(DecodedTest, BothBodiesArePlainInEveryMode) {
  for (const std::string_view mode : kModes) {
    for (const Coding coding : kCodings) {
      const auto body = message(name_of(coding), encoded(coding, text), {{"content-md5", "x"}});
      const auto result = play(mode, body, body);
      EXPECT_EQ(decoded(coding, result.upstream.body), "> " + with_big_l(text)) << mode;
      EXPECT_EQ(decoded(coding, result.caller.body), "> " + with_big_l(text)) << mode;
      EXPECT_EQ(*result.upstream_header("x-seen"), "1");
      EXPECT_EQ(result.upstream_header("content-md5"), nullptr);
      for (const auto* length :
           {result.upstream_header("content-length"), result.caller_header("content-length")}) {
        EXPECT_TRUE(length == nullptr || mode == "BUFFERED") << mode;
      }
      EXPECT_TRUE(result.caller.complete);
    }
    const auto plain = play(mode, message("", text), message("", text));
    EXPECT_EQ(plain.upstream.body, "> " + with_big_l(text)) << mode;
    EXPECT_EQ(plain.caller.body, "> " + with_big_l(text)) << mode;
  }
}

TEST_F(DecodedTest, AHandlerThatReturnsEarlyLetsTheRestThrough) {
  for (const std::string_view mode : kModes) {
    const auto body = message("gzip", encoded(Coding::gzip, text));
    const auto result = play(mode, body, body, "first");
    const std::string got = decoded(Coding::gzip, result.caller.body);
    EXPECT_EQ(got.size(), text.size() + 2) << mode;
    EXPECT_EQ(with_big_l(got), "> " + with_big_l(text)) << mode;
    EXPECT_EQ(got.find("hello") == std::string::npos, mode == "BUFFERED");
  }
}

TEST_F(DecodedTest, WhatNobodyTouchesPassesAsItCame) {
  for (const std::string_view mode : kModes) {
    const auto body = message("br", encoded(Coding::br, text));
    EXPECT_EQ(play(mode, body, body, "nothing").caller.body, encoded(Coding::br, text));
  }
}

TEST_F(DecodedTest, FinishDropsTheRest) {
  const auto body = message("gzip", encoded(Coding::gzip, text));
  const auto result = play("FULL_DUPLEX_STREAMED", body, body, "finish");
  const std::string got = decoded(Coding::gzip, result.caller.body);
  EXPECT_LT(got.size(), text.size());
  EXPECT_THAT(got, ::testing::StartsWith("> Line 0 heLLo\n"));
}

TEST_F(DecodedTest, TheCallerCanBeAnswered) {
  for (const std::string_view mode : kModes) {
    const auto body = message("gzip", encoded(Coding::gzip, text));
    EXPECT_EQ(play(mode, body, body, "respond").caller.status, 418) << mode;
  }
}

TEST_F(DecodedTest, WhatCannotBeDecodedIsRefused) {
  for (const std::string_view mode : kModes) {
    const auto bad = message("gzip", "no such thing");
    const auto good = message("gzip", encoded(Coding::gzip, text));
    EXPECT_EQ(play(mode, bad, good).caller.status, 400) << mode;
    const auto bomb = message("gzip", encoded(Coding::gzip, std::string(50'000'000, 'x')));
    EXPECT_EQ(play(mode, bomb, good).caller.status, 400) << mode;
    const auto answer = play(mode, good, bad);
    EXPECT_FALSE(answer.caller.complete && answer.caller.status == 200) << mode;
    // Cut off.
    const std::string whole = encoded(Coding::gzip, text);
    EXPECT_EQ(play(mode, message("gzip", whole.substr(0, whole.size() - 5)), good).caller.status,
              400)
        << mode;
  }
}

TEST_F(DecodedTest, WhatMustNotBeChangedIsNot) {
  const std::string bytes = encoded(Coding::gzip, text);
  for (const HeaderList& more : {HeaderList{{"cache-control", "no-transform"}},
                                 HeaderList{{"content-range", "bytes 0-9/20"}}}) {
    const auto result = play("STREAMED", {}, message("gzip", bytes, more));
    EXPECT_EQ(result.caller.body, bytes);
  }
  EXPECT_EQ(play("STREAMED", {}, message("rot13", "hello")).caller.body, "hello");
}

/// The response's alone, and with a name of its own.
class Named : public AsyncProcessor {
 public:
  Task<> stream_response_body(BodyStream& body, Context&, Request&) override {
    while (auto chunk = co_await body.read()) body.write(chunk->bytes());
  }
  std::string name() const override { return "own"; }
};

TEST(Decoded, IsTheProcessorThatItIsMadeOf) {
  EXPECT_EQ(Decoded<Changes>("").name(), "Changes");
  EXPECT_EQ(Decoded<Named>().name(), "own");
  const PhaseSet both{Phase::response_headers, Phase::response_body};
  EXPECT_TRUE(Decoded<Named>().handled_phases() == both);
}

}  // namespace
}  // namespace extproc::coding
