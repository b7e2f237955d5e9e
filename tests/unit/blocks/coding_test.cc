// Content encodings in both directions: pieces, flushes, limits, headers; bodies of other encoders.
#include "extproc/coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/async.h"
#include "extproc/error.h"
#include "extproc/http.h"
#include "extproc/testing/envoy.h"

namespace extproc::coding {
namespace {

using ::testing::HasSubstr;
using ::testing::Pointee;
using ::testing::ThrowsMessage;

constexpr Coding kAll[] = {Coding::identity, Coding::gzip, Coding::deflate, Coding::br,
                           Coding::zstd};

std::string some_text(std::size_t size) {
  std::mt19937 random(5);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 1000) + ' ';
  return text;
}

TEST(Coding, HeadersNameOne) {
  EXPECT_EQ(coding_of(""), Coding::identity);
  EXPECT_EQ(coding_of("identity"), Coding::identity);
  EXPECT_EQ(coding_of(" GZip"), Coding::gzip);
  EXPECT_EQ(coding_of("x-gzip, identity"), Coding::gzip);
  for (const Coding coding : kAll) EXPECT_EQ(coding_of(name_of(coding)), coding);
  EXPECT_EQ(coding_of("compress"), std::nullopt);
  EXPECT_EQ(coding_of("gzip, br"), std::nullopt);
  const std::vector<Header> headers = {{"content-encoding", "gzip"}, {"content-encoding", "br"}};
  EXPECT_EQ(coding_of(HeaderView(headers)), std::nullopt);
}

TEST(Coding, WhatIsEncodedIsDecodedInAnyPieces) {
  const std::string text = some_text(100'000);
  for (const Coding coding : kAll) {
    for (const int level : {0, 1, 9}) {
      const std::string bytes = encoded(coding, text, level);
      EXPECT_EQ(decoded(coding, bytes), text);
      if (coding != Coding::identity) {
        EXPECT_LT(bytes.size(), text.size() / 2) << name_of(coding);
      }
    }
    const std::string bytes = encoded(coding, text);
    for (const std::size_t size : {1U, 7U, 16384U}) {
      Decoder decoder(coding);
      std::string out;
      for (std::size_t at = 0; at < bytes.size(); at += size) {
        decoder.decode(std::string_view(bytes).substr(at, size), out);
      }
      decoder.finish();
      EXPECT_TRUE(out == text) << name_of(coding) << ' ' << size;
    }
    EXPECT_EQ(decoded(coding, encoded(coding, "")), "");
    EXPECT_EQ(decoded(coding, ""), "");
  }
}

TEST(Coding, EachFlushBringsWhatWasWritten) {
  for (const Coding coding : kAll) {
    Encoder encoder(coding);
    Decoder decoder(coding, {.ratio = 10'000});
    std::string bytes, plain, expected;
    for (int i = 0; i < 50; ++i) {
      const std::string event = "data: " + std::to_string(i * 7919) + some_text(i * 300) + "\n\n";
      expected += event;
      encoder.encode(event.substr(0, 5), Flush::none, bytes);
      encoder.encode(event.substr(5), Flush::now, bytes);
      decoder.decode(bytes, plain);
      bytes.clear();
      ASSERT_EQ(plain, expected) << name_of(coding);
    }
    encoder.encode({}, Flush::end, bytes);
    decoder.decode(bytes, plain);
    decoder.finish();
    EXPECT_EQ(plain, expected);
  }
}

TEST(Coding, BodiesOfOtherEncodersAreDecoded) {
  const std::string text = "Hello, hello, hello, world!";
  // Python: gzip.compress; zlib.compress; the same without its header; brotli; zstandard.
  const std::pair<Coding, std::string_view> bodies[] = {
      {Coding::gzip, "H4sIAAAAAAACA/NIzcnJ11HIQKHK84tyUhQBKd/20hsAAAA="},
      {Coding::deflate, "eJzzSM3JyddRyEChyvOLclIUAYKaCUo="},
      {Coding::deflate, "80jNycnXUchAocrzi3JSFAE="},
      {Coding::br, "GxoA+I2UqtOrBkEqQ9MhLGxvchBF8qkEUFirZQY="},
      {Coding::zstd, "KLUv/SAbpQAAcEhlbGxvLCBod29ybGQhAQA6Chc="}};
  for (const auto& [coding, base64] : bodies) {
    const std::string bytes = *http::base64_decode(base64);
    EXPECT_EQ(decoded(coding, bytes), text) << name_of(coding);
  }
  const std::string gzip = *http::base64_decode(bodies[0].second);
  const std::string zstd = *http::base64_decode(bodies[4].second);
  EXPECT_EQ(decoded(Coding::gzip, gzip + gzip), text + text);
  EXPECT_EQ(decoded(Coding::gzip, gzip + std::string(5, '\0')), text);
  EXPECT_EQ(decoded(Coding::zstd, zstd + zstd), text + text);
}

TEST(Coding, BadBodiesAreRefused) {
  const std::string text = some_text(5'000);
  std::mt19937 random(6);
  for (const Coding coding : {Coding::gzip, Coding::deflate, Coding::br, Coding::zstd}) {
    const std::string bytes = encoded(coding, text);
    for (std::size_t size = 1; size < bytes.size(); size += 97) {
      EXPECT_THAT([&] { decoded(coding, bytes.substr(0, size)); },
                  ThrowsMessage<CodingError>(HasSubstr("too early")))
          << name_of(coding) << ' ' << size;
    }
    EXPECT_THROW(decoded(coding, bytes + "x"), CodingError) << name_of(coding);
    EXPECT_THROW(decoded(coding, "no such thing at all"), CodingError) << name_of(coding);
    for (int i = 0; i < 300; ++i) {
      std::string wrong = bytes;
      char& byte = wrong[random() % wrong.size()];
      byte = static_cast<char>(byte ^ static_cast<char>(1 + random() % 255));
      try {
        decoded(coding, wrong, {.bytes = 1 << 20});
      } catch (const CodingError&) {
      }
    }
  }
  EXPECT_THROW(Encoder(Coding::gzip, 10), Error);
  EXPECT_THROW(Encoder(Coding::br, 12), Error);
  EXPECT_THROW(Encoder(Coding::zstd, -1), Error);
}

// The library reads formats of before zstd's first version, which begin with 0x22 to 0x27.
TEST(Coding, FormatsOfBeforeZstdsFirstVersionAreNone) {
  for (const char first : {'\x1E', '\x22', '\x24', '\x25', '\x26', '\x27', '\x29', '\x60'}) {
    const std::string frame = first + std::string("\xB5\x2F\xFD\x20\x51\0\0\0", 8);
    EXPECT_THAT([&] { decoded(Coding::zstd, frame); },
                ThrowsMessage<CodingError>(HasSubstr("no frame begins so")));
    EXPECT_THROW(decoded(Coding::zstd, encoded(Coding::zstd, "a") + frame), CodingError);
  }
  // One to be skipped, in front and behind.
  const std::string skipped("\x5A\x2A\x4D\x18\3\0\0\0abc", 11);
  EXPECT_EQ(decoded(Coding::zstd, skipped + encoded(Coding::zstd, "a") + skipped), "a");
}

TEST(Coding, BombsEndAtTheLimit) {
  const std::string zeros(16 << 20, '\0');
  for (const Coding coding : {Coding::gzip, Coding::deflate, Coding::br, Coding::zstd}) {
    const std::string bomb = encoded(coding, zeros);
    std::string out;
    Decoder by_ratio(coding);
    EXPECT_THAT([&] { by_ratio.decode(bomb, out); },
                ThrowsMessage<CodingError>(HasSubstr("200 times its size")));
    EXPECT_LE(out.size(), std::max<std::size_t>(1 << 20, 200 * bomb.size()));
    out.clear();
    Decoder by_size(coding, {.bytes = 3'000'000, .ratio = 1'000'000});
    EXPECT_THAT([&] { by_size.decode(bomb, out); },
                ThrowsMessage<CodingError>(HasSubstr("3000000 bytes")));
    EXPECT_LE(out.size(), 3'000'000U);
    EXPECT_EQ(decoded(coding, encoded(coding, zeros.substr(0, 1000)), {.bytes = 1000}).size(),
              1000U);
    EXPECT_THROW(decoded(coding, encoded(coding, zeros.substr(0, 1001)), {.bytes = 1000}),
                 CodingError);
  }
}

/// Rewrites whatever the encoding is.
class Rewrites : public AsyncProcessor {
 public:
  Task<> process_response_headers(const HttpHeaders& headers, Context& /*context*/,
                                  Request& request, HeadersResponse& response) override {
    request.state<std::optional<Coding>>() = coding_of(headers);
    request.state<bool>() = prepare(headers, response);
    co_return;
  }
  Task<> stream_response_body(BodyStream& body, Context& /*context*/, Request& request) override {
    if (!request.state<bool>()) co_return;
    PlainBody plain(body, request.state<std::optional<Coding>>());
    while (auto chunk = co_await plain.read()) {
      std::string text(*chunk);
      for (char& c : text) c = c == 'l' ? 'L' : c;
      plain.write(text);
    }
    plain.finish();
  }
};

testing::EnvoyResult exchange(const std::string& mode, testing::HttpMessage upstream) {
  const std::string_view trailers = mode == "FULL_DUPLEX_STREAMED" ? "SEND" : "SKIP";
  const testing::Envoy envoy("processing_mode: {response_body_mode: " + mode +
                             ", response_trailer_mode: " + std::string(trailers) + "}");
  Rewrites rewrites;
  testing::Exchange exchange;
  exchange.upstream = std::move(upstream);
  return envoy.run(rewrites, exchange);
}

TEST(Coding, AHandlerOverABodySeesItPlainInEveryMode) {
  const std::string text = some_text(50'000) + "hello";
  for (const std::string mode : {"BUFFERED", "STREAMED", "FULL_DUPLEX_STREAMED"}) {
    for (const Coding coding : kAll) {
      const std::string bytes = encoded(coding, text);
      testing::HttpMessage upstream{.headers = {{"content-encoding", std::string(name_of(coding))},
                                                {"content-length", std::to_string(bytes.size())},
                                                {"etag", "\"1\""},
                                                {"content-digest", "sha-256=:x:"}}};
      for (std::size_t at = 0; at < bytes.size(); at += 1000) {
        upstream.body.push_back(bytes.substr(at, 1000));
      }
      const auto result = exchange(mode, upstream);
      ASSERT_TRUE(result.caller.complete) << mode;
      std::string expected = text;
      for (char& c : expected) c = c == 'l' ? 'L' : c;
      EXPECT_TRUE(decoded(coding, result.caller.body) == expected) << mode << name_of(coding);
      EXPECT_THAT(result.caller_header("etag"), Pointee(std::string("W/\"1\"")));
      EXPECT_EQ(result.caller_header("content-digest"), nullptr);
      const std::string* const length = result.caller_header("content-length");
      EXPECT_TRUE(length == nullptr || *length == std::to_string(result.caller.body.size()))
          << mode;
      EXPECT_TRUE(result.violations.empty());
    }
  }
}

TEST(Coding, WhatMustNotBeChangedIsNot) {
  const std::string bytes = encoded(Coding::gzip, "hello");
  const testing::HeaderList reasons[] = {{{"content-encoding", "gzip, br"}},
                                         {{"cache-control", "public, no-transform"}},
                                         {{"content-range", "bytes 0-9/20"}},
                                         {{":status", "206"}}};
  for (const auto& headers : reasons) {
    testing::HeaderList all = headers;
    all.emplace_back("content-length", std::to_string(bytes.size()));
    const auto result = exchange("STREAMED", {.headers = all, .body = {bytes}});
    EXPECT_EQ(result.caller.body, bytes);
  }
}

}  // namespace
}  // namespace extproc::coding
