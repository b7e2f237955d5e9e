#include "envoy/needs.h"

#include <gtest/gtest.h>

#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

constexpr Phase kQh = Phase::request_headers;
constexpr Phase kQb = Phase::request_body;
constexpr Phase kQt = Phase::request_trailers;
constexpr Phase kSh = Phase::response_headers;
constexpr Phase kSb = Phase::response_body;
constexpr Phase kSt = Phase::response_trailers;

constexpr auto kNone = BodySendMode::none;
constexpr auto kBuffered = BodySendMode::buffered;
constexpr auto kDuplex = BodySendMode::full_duplex_streamed;

/// What is sent.
struct Sent {
  bool request_headers = false;
  bool response_headers = false;
  BodySendMode request_body = kNone;
  BodySendMode response_body = kNone;
  bool request_trailers = false;
  bool response_trailers = false;
};

ProcessingMode mode_of(const Sent& sent) {
  const auto header = [](bool sends) {
    return sends ? HeaderSendMode::send : HeaderSendMode::skip;
  };
  return {.request_headers = header(sent.request_headers),
          .response_headers = header(sent.response_headers),
          .request_body = sent.request_body,
          .response_body = sent.response_body,
          .request_trailers = header(sent.request_trailers),
          .response_trailers = header(sent.response_trailers)};
}

struct Case {
  const char* name;
  Needs needs;
  Sent sent;
};

TEST(Needs, ModeThatServesThem) {
  const Case cases[] = {
      {"nothing", {}, {}},
      {"nothing but the chain header", {.chain_header = "x-c"}, {.response_headers = true}},
      {"request headers", {.handled = {kQh}}, {.request_headers = true}},
      {"request headers and the chain header",
       {.handled = {kQh}, .chain_header = "x-c"},
       {.request_headers = true, .response_headers = true}},
      {"a later phase may ask for method and path",
       {.handled = {kSh}},
       {.request_headers = true, .response_headers = true}},
      {"a later phase that does not",
       {.handled = {kSh}, .request_data = false},
       {.response_headers = true}},
      {"handled request headers are sent in any case",
       {.handled = {kQh, kSh}, .request_data = false},
       {.request_headers = true, .response_headers = true}},
      {"a body is BUFFERED",
       {.handled = {kQb}},
       {.request_headers = true, .request_body = kBuffered}},
      {"a body without its headers",
       {.handled = {kSb}, .request_data = false},
       {.response_body = kBuffered}},
      {"a handler over the whole body streams",
       {.handled = {kQb}, .whole = {kQb}},
       {.request_headers = true, .request_body = kDuplex, .request_trailers = true}},
      {"one that requests are to go on without",
       {.handled = {kSb}, .whole = {kSb}, .request_data = false, .failure_mode_allow = true},
       {.response_body = BodySendMode::streamed}},
      {"one that asks for other modes",
       {.handled = {kSb},
        .whole = {kSb},
        .request_data = false,
        .filter = {.allow_mode_override = true}},
       {.response_body = BodySendMode::streamed}},
      {"one that only looks, which gets nothing else",
       {.handled = {kQb, kSb},
        .whole = {kSb},
        .request_data = false,
        .stated = {.observability_mode = true}},
       {.request_body = BodySendMode::streamed, .response_body = BodySendMode::streamed}},
      {"one whose mode is chosen",
       {.handled = {kSb}, .whole = {kSb}, .response_body_mode = kBuffered, .request_data = false},
       {.response_body = kBuffered}},
      {"a chosen mode",
       {.handled = {kQb, kSb}, .request_body_mode = BodySendMode::streamed},
       {.request_headers = true,
        .request_body = BodySendMode::streamed,
        .response_body = kBuffered}},
      {"a chosen mode of a body without a handler",
       {.handled = {kQh}, .response_body_mode = BodySendMode::streamed},
       {.request_headers = true}},
      {"full duplex brings headers and trailers of its direction",
       {.handled = {kQb}, .request_body_mode = kDuplex, .request_data = false},
       {.request_headers = true, .request_body = kDuplex, .request_trailers = true}},
      {"full duplex of the response",
       {.handled = {kSb}, .response_body_mode = kDuplex, .request_data = false},
       {.response_headers = true, .response_body = kDuplex, .response_trailers = true}},
      {"trailers",
       {.handled = {kQt, kSt}, .request_data = false},
       {.request_trailers = true, .response_trailers = true}},
      {"a body that the processor asks for itself",
       {.handled = {kQh, kQb}, .request_body_mode = kNone, .filter = {.allow_mode_override = true}},
       {.request_headers = true}},
      {"everything",
       {.handled = PhaseSet::all(), .chain_header = "x-c"},
       {true, true, kBuffered, kBuffered, true, true}}};
  for (const Case& one : cases) {
    const ProcessingMode mode = needed_mode(one.needs);
    for (const Phase phase : kPhases) {
      EXPECT_EQ(mode.sends(phase), mode_of(one.sent).sends(phase))
          << one.name << ": " << to_string(phase);
    }
    EXPECT_EQ(mode, mode_of(one.sent)) << one.name;
    EXPECT_NO_THROW(require_consistent(one.needs)) << one.name;
  }
}

TEST(Needs, Contradictions) {
  const FilterSettings overrides{.allow_mode_override = true};
  const extproc::Needs looks{.observability_mode = true};
  const extproc::Needs eager{.send_body_without_waiting_for_header_response = true};
  const Needs cases[] = {{.handled = {kQb}, .request_body_mode = kNone},
                         {.handled = {kSb}, .response_body_mode = kNone},
                         {.handled = {kQb}, .request_body_mode = kDuplex, .filter = overrides},
                         {.handled = {kSb}, .response_body_mode = kDuplex, .filter = overrides},
                         {.handled = {kQb}, .request_body_mode = kBuffered, .stated = looks},
                         {.handled = {kSb}, .response_body_mode = kDuplex, .stated = looks},
                         {.handled = {kQb}, .stated = eager, .filter = overrides}};
  for (const Needs& needs : cases) EXPECT_THROW(require_consistent(needs), Error);
}

TEST(Needs, TogetherTheyAreTheUnion) {
  const Needs sum = together({{.name = "A", .handled = {kQh, kQb}, .chain_header = "x-c"},
                              {.name = "B", .handled = {kQh, kSt}, .chain_header = "x-c"}});
  EXPECT_EQ(sum.name, "A,B");
  EXPECT_EQ(sum.handled, (PhaseSet{kQh, kQb, kSt}));
  EXPECT_EQ(sum.chain_header, "x-c");
}

TEST(Needs, AChainStreamsABodyThatAllOfItStream) {
  const Needs whole{.name = "A", .handled = {kQb, kSb}, .whole = {kQb, kSb}};
  const Needs headers{.name = "B", .handled = {kQh}};
  const Needs messages{.name = "C", .handled = {kSb}};
  EXPECT_EQ(together({whole, headers}).whole, (PhaseSet{kQb, kSb}));
  EXPECT_EQ(together({headers, whole}).whole, (PhaseSet{kQb, kSb}));
  EXPECT_EQ(together({whole, messages}).whole, PhaseSet{kQb});
  EXPECT_EQ(together({messages, headers, whole}).whole, PhaseSet{kQb});
  EXPECT_EQ(together({messages, messages}).whole, PhaseSet{});
}

TEST(BodySendMode, Names) {
  for (const BodySendMode mode : kBodyModes) EXPECT_EQ(parse_body_mode(to_string(mode)), mode);
  for (const char* name : {"", "GRPC", "buffered", "BUFFERED "}) {
    EXPECT_EQ(parse_body_mode(name), std::nullopt) << name;
  }
}

TEST(Needs, BodiesThatDecideTheirHeadersAreSentUnasked) {
  const Needs duplex{.handled = {Phase::request_body},
                     .whole = {Phase::request_body},
                     .stated = {.request_headers_wait_for_body = true}};
  EXPECT_FALSE(sends_body_unasked(duplex));
  Needs streamed = duplex;
  streamed.request_body_mode = BodySendMode::streamed;
  EXPECT_TRUE(sends_body_unasked(streamed));
  Needs response = streamed;
  response.stated = {.response_headers_wait_for_body = true};
  EXPECT_FALSE(sends_body_unasked(response));
  EXPECT_NO_THROW(require_consistent(streamed));
  streamed.filter.allow_mode_override = true;
  EXPECT_THROW(require_consistent(streamed), Error);
}

}  // namespace
}  // namespace extproc::envoy_config
