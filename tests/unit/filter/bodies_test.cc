// The filter in a fake Envoy: what becomes of bodies where answers come late, or not at all.
#include <cctype>
#include <chrono>
#include <memory>
#include <string>

#include "filter/filter_in_envoy.h"

namespace extproc::fake {
namespace {

std::shared_ptr<Config> chain(const std::string& processors, const std::string& more) {
  return std::make_shared<Config>("{\"processors\": [" + processors + "], " + more + "}");
}

// What of a chain answers has no message.
TEST_F(FilterInEnvoy, AChainKeepsBodiesThatWait) {
  for (const char* mode : {"BUFFERED", "STREAMED", "BUFFERED_PARTIAL"}) {
    for (const char* allow : {"true", "false"}) {
      const auto it =
          stream(chain(R"({"name": "KeepsLater"}, {"name": "Looks"})",
                       "\"failure_mode_allow\": " + std::string(allow) + ", " + modes(mode, mode)));
      it->request_headers(false);
      it->request_body("ab", false);
      it->request_body("cd", true);
      ASSERT_TRUE(until([&] { return it->upstream().ended; })) << mode;
      EXPECT_EQ(it->upstream().body, "abcd") << mode;
      it->response_headers({{":status", "200"}}, false);
      it->response_body("ef", true);
      ASSERT_TRUE(until([&] { return it->downstream().ended; })) << mode;
      EXPECT_EQ(it->downstream().body, "ef") << mode;
    }
  }
}

TEST_F(FilterInEnvoy, AChainThatReplacesABodyLetsNothingOfItOut) {
  for (const char* mode : {"BUFFERED", "STREAMED", "BUFFERED_PARTIAL"}) {
    const auto it = stream(chain(R"({"name": "Looks"}, {"name": "Blocks"})",
                                 R"("failure_mode_allow": true, )" + modes(mode, mode)));
    it->request_headers(false);
    it->request_body("ab", false);
    it->request_body("cd", true);
    ASSERT_TRUE(until([&] { return it->upstream().ended; })) << mode;
    EXPECT_EQ(it->upstream().body, "ABCD") << mode;
  }
}

// Where chunks come faster than they are answered, each hook lets out what is answered by then.
TEST_F(FilterInEnvoy, ChunksThatAreAnsweredDoNotWaitForTheEnd) {
  const auto it = stream(make("Waits", modes("STREAMED", "STREAMED")), {{"x-ms", "2"}});
  it->request_headers(false);
  ASSERT_TRUE(until([&] { return it->upstream().headers; }));
  // They come faster than they are answered, until one has gone on.
  const auto send = [&](const fake::Passed& to, auto body) {
    std::string sent;
    while (to.body.empty() && sent.size() < 10'000) {
      sent += static_cast<char>('A' + sent.size() % 26);
      body(static_cast<char>(std::tolower(sent.back())));
      worker_.run_until([] { return false; }, std::chrono::milliseconds(1));
    }
    return sent;
  };
  const std::string request =
      send(it->upstream(), [&](char c) { it->request_body(std::string(1, c), false); });
  EXPECT_FALSE(it->upstream().body.empty());
  it->request_body("d", true);
  ASSERT_TRUE(until([&] { return it->upstream().ended; }));
  EXPECT_EQ(it->upstream().body, request + "D");
  it->response_headers({{":status", "200"}}, false);
  ASSERT_TRUE(until([&] { return it->downstream().headers; }));
  const std::string response =
      send(it->downstream(), [&](char c) { it->response_body(std::string(1, c), false); });
  EXPECT_FALSE(it->downstream().body.empty());
  it->response_trailers({{"x-t", "1"}});
  ASSERT_TRUE(until([&] { return it->downstream().ended; }));
  EXPECT_EQ(it->downstream().body, response);
}

// The upstream answers while the request's body is still with its handler.
TEST_F(FilterInEnvoy, AResponseThatWaitsAsAWhole) {
  for (const char* mode : {"BUFFERED", "STREAMED", "BUFFERED_PARTIAL"}) {
    const auto it = stream(make("Waits", modes("STREAMED", mode)), {{"x-ms", "20"}});
    it->request_headers(false);
    ASSERT_TRUE(until([&] { return it->upstream().headers; }));
    it->request_body("ab", false);
    it->response_headers({{":status", "200"}}, false);
    it->response_body("secret", true);
    ASSERT_TRUE(until([&] { return it->downstream().ended; })) << mode;
    EXPECT_EQ(it->downstream().body, "SECRET") << mode;
  }
}

TEST_F(FilterInEnvoy, WhatFollowsAReplacedMessageIsDropped) {
  for (const char* mode : {"NONE", "BUFFERED", "STREAMED", "BUFFERED_PARTIAL"}) {
    const auto it = stream(make("Replaces", modes(mode, "NONE")), {}, {.buffer_limit = 10});
    it->request_headers(false);
    for (int i = 0; i < 10; ++i) it->request_body("0123456789", false);
    EXPECT_FALSE(it->filter().body(abi::kBufferedRequest) != nullptr &&
                 !it->filter().body(abi::kBufferedRequest)->empty())
        << mode;
    it->request_body("end", true);
    EXPECT_FALSE(it->reply()) << mode;
    EXPECT_TRUE(it->upstream().ended) << mode;
    EXPECT_EQ(it->upstream().body, "other") << mode;
  }
}

TEST_F(FilterInEnvoy, AResponsePieceByPieceThatFailsIsReset) {
  const auto it = stream(make("BreaksOff"));
  it->request_headers(true);
  EXPECT_TRUE(until([&] { return it->is_reset(); }));
}

// Envoy reads no more then, and says nothing.
TEST_F(FilterInEnvoy, TooMuchThatCameWhileHeadersWaitedIsRefused) {
  const auto it = stream(make("Overrides", modes("NONE", "NONE")), {}, {.buffer_limit = 10});
  it->request_headers(false);
  it->request_body("01234567", false);
  it->request_body("01234567", false);
  ASSERT_TRUE(until([&] { return it->reply().has_value(); }));
  EXPECT_EQ(it->reply()->status, 413);
  EXPECT_EQ(it->reply()->details, "request_payload_too_large");
}

TEST_F(FilterInEnvoy, AnOverrideToAModeThatThereIsNotIsLeftOut) {
  for (const auto& [mode, body] : {std::pair("FULL_DUPLEX_STREAMED", "ab"), {"BUFFERED", "AB"}}) {
    const auto it = stream(make("Overrides", modes("NONE", "NONE")), {{"x-mode", mode}});
    it->request_headers(false);
    ASSERT_TRUE(until(
        [&] { return it->upstream().headers || mode != std::string("FULL_DUPLEX_STREAMED"); }));
    it->request_body("ab", true);
    ASSERT_TRUE(until([&] { return it->upstream().ended; })) << mode;
    EXPECT_EQ(it->upstream().body, body) << mode;
  }
}

TEST_F(FilterInEnvoy, GaugesDoNotCountWhatOutlivesItsStream) {
  const auto config = make("Waits", modes("STREAMED", "NONE"));
  auto it = stream(config, {{"x-ms", "30"}});
  it->request_headers(false);
  it->request_body("ab", false);
  it->destroy();
  it.reset();
  EXPECT_EQ(config->statistic("streams_started"), 1U);
  EXPECT_EQ(config->statistic("streams_open"), 0U);
  EXPECT_EQ(config->statistic("memory_bytes"), 0U);
  ASSERT_TRUE(until([] { return seen().handlers == 0; }));
  const auto next = stream(config);
  next->request_headers(true);
  ASSERT_TRUE(until([&] { return next->upstream().headers; }));
  next->destroy();
  EXPECT_EQ(config->statistic("streams_open"), 0U);
  EXPECT_EQ(config->statistic("memory_bytes"), 0U);
}

}  // namespace
}  // namespace extproc::fake
