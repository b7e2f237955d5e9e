#include "cli/health_call.h"

#include <gmock/gmock.h>
#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>

#include "extproc/error.h"

namespace extproc::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr char kData = 0;
constexpr char kHeaders = 1;
constexpr char kReset = 3;
constexpr char kSettings = 4;
constexpr char kPing = 6;
constexpr char kGoAway = 7;
constexpr char kContinuation = 9;
constexpr char kEndStream = 1;
constexpr char kEndHeaders = 4;

std::string number(std::size_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string frame(char type, int flags, std::uint32_t stream, const std::string& payload) {
  return number(payload.size(), 3) + type + static_cast<char>(flags) + number(stream, 4) + payload;
}

/// A header as HPACK has it without its tables.
std::string field(std::string_view name, std::string_view value) {
  const auto text = [](std::string_view bytes) {
    // A length of seven bits, else the rest behind it.
    if (bytes.size() < 127) return number(bytes.size(), 1) + std::string(bytes);
    std::string length = "\x7F";
    std::size_t rest = bytes.size() - 127;
    for (; rest >= 128; rest >>= 7) length += static_cast<char>(rest % 128 + 128);
    return length + static_cast<char>(rest) + std::string(bytes);
  };
  return '\0' + text(name) + text(value);
}

const std::string kServerBegins = frame(kSettings, 0, 0, "");

std::string headers(const std::string& fields, int flags = 0) {
  return frame(kHeaders, kEndHeaders | flags, 1, fields);
}

const std::string kOk = field(":status", "200") + field("content-type", "application/grpc");

std::string message(const std::string& bytes, int flags = 0) {
  return frame(kData, flags, 1, number(0, 1) + number(bytes.size(), 4) + bytes);
}

std::string trailers(const std::string& status, const std::string& text = "") {
  return headers(field("grpc-status", status) + (text.empty() ? "" : field("grpc-message", text)),
                 kEndStream);
}

/// What the call says of a server's bytes, which come in pieces of that size.
std::string outcome(const std::string& bytes, std::size_t piece = 1 << 20) {
  try {
    HealthCall call({"http", "a:1", "some.Service"});
    call.take_output();
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      call.receive(std::string_view(bytes).substr(at, piece));
      call.take_output();
    }
    call.receive_end();
    return "status " + std::to_string(static_cast<int>(call.answer()));
  } catch (const Error& error) {
    return error.what();
  }
}

std::string outcome_of_answer(const std::string& bytes) { return outcome(kServerBegins + bytes); }

struct Sent {
  std::map<std::string, std::string> headers;
  std::string data;
};

/// Takes the client's frames apart.
Sent read_request(std::string_view bytes) {
  EXPECT_TRUE(bytes.starts_with(kPreface));
  bytes.remove_prefix(std::min(kPreface.size(), bytes.size()));
  nghttp2_hd_inflater* made = nullptr;
  nghttp2_hd_inflate_new(&made);
  const std::unique_ptr<nghttp2_hd_inflater, decltype(&nghttp2_hd_inflate_del)> inflater(
      made, &nghttp2_hd_inflate_del);
  Sent sent;
  while (bytes.size() >= 9) {
    const std::size_t size =
        static_cast<unsigned char>(bytes[1]) * 256U + static_cast<unsigned char>(bytes[2]);
    const std::string payload(bytes.substr(9, size));
    if (bytes[3] == kData) sent.data += payload;
    if (bytes[3] == kHeaders) {
      const auto* at = reinterpret_cast<const std::uint8_t*>(payload.data());
      std::size_t left = payload.size();
      int flags = 0;
      while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv{};
        const auto taken = nghttp2_hd_inflate_hd2(inflater.get(), &nv, &flags, at, left, 1);
        if (taken < 0) {
          ADD_FAILURE() << "no HPACK";
          return sent;
        }
        at += taken;
        left -= static_cast<std::size_t>(taken);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
          sent.headers[std::string(reinterpret_cast<char*>(nv.name), nv.namelen)] =
              std::string(reinterpret_cast<char*>(nv.value), nv.valuelen);
        }
      }
    }
    bytes.remove_prefix(std::min(bytes.size(), 9 + size));
  }
  return sent;
}

TEST(HealthCall, AsksForTheService) {
  HealthCall call({"https", "host:1", "some.Service"});
  const Sent sent = read_request(call.take_output());
  const std::map<std::string, std::string> expected = {
      {":method", "POST"},
      {":scheme", "https"},
      {":path", "/grpc.health.v1.Health/Check"},
      {":authority", "host:1"},
      {"te", "trailers"},
      {"content-type", "application/grpc"},
      {"user-agent", sent.headers.at("user-agent")}};
  EXPECT_EQ(sent.headers, expected);
  EXPECT_EQ(sent.data, number(0, 1) + number(14, 4) + "\x0A\x0Csome.Service");
  EXPECT_THAT(call.take_output(), IsEmpty());
  EXPECT_FALSE(call.is_over());
  EXPECT_FALSE(call.has_received());
}

TEST(HealthCall, TheServerAsAWholeHasNoName) {
  HealthCall call({"http", "host:1", ""});
  EXPECT_EQ(read_request(call.take_output()).data, number(0, 5));
}

TEST(HealthCall, ALongNameIsSentAsAWhole) {
  const std::string name(40'000, 'x');
  HealthCall call({"http", "host:1", name});
  EXPECT_THAT(read_request(call.take_output()).data, HasSubstr(name));
}

TEST(HealthCall, Answers) {
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("\x08\x01") + trailers("0")), "status 1");
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("\x08\x02") + trailers("0")), "status 2");
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("\x08\x03") + trailers("0")), "status 3");
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("\x08\x09") + trailers("0")), "status 9");
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("") + trailers("0")), "status 0");
  // A field of a later version of the protocol.
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("\x12\x01x\x08\x01") + trailers("0")),
            "status 1");
}

TEST(HealthCall, InWhateverPiecesTheyCome) {
  const std::string bytes = kServerBegins + headers(kOk) + message("\x08\x01") +
                            frame(kPing, 0, 0, "12345678") + trailers("0");
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    EXPECT_EQ(outcome(bytes, piece), "status 1") << piece;
  }
}

TEST(HealthCall, NothingCutIsAnAnswer) {
  const std::string bytes = kServerBegins + headers(kOk) + message("\x08\x01") + trailers("0");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(outcome(bytes.substr(0, size)), HasSubstr("the server ")) << size;
  }
}

TEST(HealthCall, WhatComesBehindTheAnswerDoesNotCount) {
  EXPECT_EQ(outcome_of_answer(headers(kOk) + message("\x08\x01") + trailers("0") +
                              frame(kReset, 0, 1, number(8, 4)) +
                              frame(kGoAway, 0, 0, number(1, 4) + number(0, 4))),
            "status 1");
}

TEST(HealthCall, Statuses) {
  const auto ended = [](const std::string& status, const std::string& text = "") {
    return outcome_of_answer(headers(kOk) + trailers(status, text));
  };
  EXPECT_THAT(ended("5"), HasSubstr("does not know the service \"some.Service\" (NOT_FOUND)"));
  EXPECT_THAT(ended("12"), HasSubstr("no health service"));
  EXPECT_EQ(ended("14", "go away"), "the server ended the call with UNAVAILABLE: go away");
  EXPECT_EQ(ended("77"), "the server ended the call with grpc-status 77");
  EXPECT_EQ(ended("-1"), "the server ended the call with grpc-status -1");
  EXPECT_EQ(ended("five"), "the server ended the call with grpc-status five");
  // Headers and trailers in one.
  EXPECT_THAT(outcome_of_answer(headers(kOk + field("grpc-status", "5"), kEndStream)),
              HasSubstr("NOT_FOUND"));
}

TEST(HealthCall, TheTextOfAServerIsOneLine) {
  const std::string text =
      outcome_of_answer(headers(kOk) + trailers("13", "\xE2\x82\xAC" + std::string(5'000, 'x')));
  EXPECT_THAT(text, HasSubstr("INTERNAL: ???xxx"));
  EXPECT_LT(text.size(), 300U);
}

TEST(HealthCall, NoGrpc) {
  const std::string html = field(":status", "404") + field("content-type", "text/html");
  EXPECT_EQ(outcome_of_answer(headers(html, kEndStream)),
            "the server does not speak gRPC: it answered with HTTP status 404, content-type "
            "text/html");
  EXPECT_EQ(outcome_of_answer(headers(field(":status", "200"), kEndStream)),
            "the server does not speak gRPC: it answered with HTTP status 200");
}

TEST(HealthCall, AnswersThatAreNone) {
  const auto answered = [](const std::string& data) {
    return outcome_of_answer(headers(kOk) + frame(kData, 0, 1, data) + trailers("0"));
  };
  const std::string none = "the server's answer is no HealthCheckResponse";
  EXPECT_EQ(outcome_of_answer(headers(kOk) + trailers("0")), none);
  EXPECT_EQ(answered(number(0, 4)), none);
  EXPECT_EQ(answered(number(0, 1) + number(3, 4) + "\x08\x01"), none);
  EXPECT_EQ(answered(number(0, 1) + number(1, 4) + "\x08\x01"), none);
  EXPECT_EQ(answered(number(1, 1) + number(2, 4) + "\x08\x01"), none);  // compressed
  EXPECT_EQ(answered(number(0, 1) + number(1, 4) + "\x08"), none);
  EXPECT_EQ(
      answered(number(0, 1) + number(2, 4) + "\x08\x01" + number(0, 1) + number(2, 4) + "\x08\x01"),
      none);  // two
}

TEST(HealthCall, Resets) {
  EXPECT_THAT(outcome_of_answer(frame(kReset, 0, 1, number(7, 4))),
              AllOf(HasSubstr("reset the call"), HasSubstr("REFUSED_STREAM")));
  // The highest stream that is still served is none.
  EXPECT_THAT(outcome_of_answer(frame(kGoAway, 0, 0, number(0, 4) + number(0, 4))),
              HasSubstr("REFUSED_STREAM"));
  EXPECT_EQ(outcome_of_answer(frame(kGoAway, 0, 0, number(1, 4) + number(0, 4)) + headers(kOk) +
                              message("\x08\x01") + trailers("0")),
            "status 1");
}

TEST(HealthCall, WhatBreaksHttp2) {
  EXPECT_THAT(outcome_of_answer(message("\x08\x01")), HasSubstr("rules of HTTP/2"));
  EXPECT_THAT(outcome_of_answer(frame(kPing, 0, 0, "short")), HasSubstr("rules of HTTP/2"));
  EXPECT_THAT(outcome_of_answer(headers("\xFF\xFF\xFF\xFF\xFF\xFF")), HasSubstr("rules of HTTP/2"));
}

TEST(HealthCall, IsBounded) {
  const std::string headline = headers(kOk);
  std::string data;
  for (int i = 0; i < 5; ++i) data += frame(kData, 0, 1, std::string(1'000, '\0'));
  EXPECT_EQ(outcome_of_answer(headline + data), "the server's answer is longer than 4096 bytes");
  EXPECT_EQ(
      outcome_of_answer(frame(kHeaders, 0, 1, kOk + field("a", std::string(8'000, 'x'))) +
                        frame(kContinuation, kEndHeaders, 1, field("b", std::string(8'400, 'x')))),
      "the server's headers are longer than 16384 bytes");
  std::string pings;
  while (pings.size() < HealthCall::kMostBytes) pings += frame(kPing, 1, 0, "12345678");
  EXPECT_EQ(outcome(kServerBegins + pings, 1'000),
            "the server has sent more than 131072 bytes and no answer");
}

TEST(HealthCall, OtherProtocols) {
  const std::string no_answer =
      "the server closed the connection without an answer: if it speaks TLS, ask it with --tls";
  EXPECT_EQ(outcome(""), no_answer);
  EXPECT_THAT(outcome("HTTP/1.1 400 Bad Request\r\n\r\n"),
              AllOf(HasSubstr("speaks HTTP/1"), HasSubstr("\"HTTP/1.1 400 Bad Request\"")));
  EXPECT_THAT(outcome("HTTP/1.1 400 Bad Request\r\n\r\n", 1), HasSubstr("speaks HTTP/1"));
  EXPECT_THAT(outcome(std::string("\x15\x03\x01\x00\x02\x02\x46", 7)),
              HasSubstr("the server speaks TLS"));
  EXPECT_EQ(outcome("SSH-2.0-x\r\n"), "the server does not speak HTTP/2");
  EXPECT_EQ(outcome("SSH"), "the server does not speak HTTP/2");
  EXPECT_EQ(outcome(frame(kGoAway, 0, 0, number(0, 8))), "the server does not speak HTTP/2");
}

}  // namespace
}  // namespace extproc::cli
