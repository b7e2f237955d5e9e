#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kUpgrade = "upgrade_configs: [{ upgrade_type: websocket }]\n";
constexpr const char* kTypes = "type.googleapis.com/envoy.extensions.filters.http.";

/// The text with each line that much deeper.
std::string deeper(std::string text, std::size_t by) {
  std::string all;
  while (!text.empty()) {
    const std::size_t end = text.find('\n') + 1;
    all += std::string(by, ' ') + text.substr(0, end);
    text.erase(0, end);
  }
  return all;
}

std::string ext_proc(const std::string& mode) {
  return std::string(R"(- name: guard
  typed_config:
    "@type": )") +
         kTypes + R"(ext_proc.v3.ExternalProcessor
    grpc_service: { envoy_grpc: { cluster_name: guard } }
    failure_mode_allow: false
    processing_mode: { )" +
         mode + " }\n";
}

std::string decompressor(const std::string& more = "", const std::string& library = "gzip") {
  return std::string("- name: unpack\n  typed_config:\n    \"@type\": ") + kTypes +
         "decompressor.v3.Decompressor\n    decompressor_library: { name: a, typed_config: { "
         "\"@type\": type.googleapis.com/envoy.extensions.compression." +
         library + ".decompressor.v3.Any } }\n" + more;
}

std::string route(const std::string& match = "prefix: /", const std::string& action = "",
                  const std::string& more = "") {
  return "- match: { " + match + " }\n  route: { cluster: up, timeout: 0s" + action + " }\n" + more;
}

std::string override_mode(const std::string& mode) {
  return std::string("  typed_per_filter_config:\n    guard: { \"@type\": ") + kTypes +
         "ext_proc.v3.ExtProcPerRoute, " + mode + " }\n";
}

struct Parts {
  std::string mode = "request_body_mode: BUFFERED";
  std::string manager{};
  std::string behind{};
  std::string routes = route();
  std::string listener{};
  std::string upstream_filters{};
};

/// A listener with one manager; its own fields stand before its filters.
std::string listener(const Parts& parts) {
  return deeper(parts.listener, 0) +
         "filter_chains:\n- filters:\n  - name: hcm\n    typed_config:\n" +
         deeper(parts.manager, 6) + "      http_filters:\n" +
         deeper(ext_proc(parts.mode) + parts.behind, 6) +
         "      route_config:\n        virtual_hosts:\n        - name: all\n          routes:\n" +
         deeper(parts.routes, 10) +
         (parts.upstream_filters.empty()
              ? ""
              : "upstream:\n  \"@type\": "
                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n"
                "  http_filters:\n" +
                    deeper(parts.upstream_filters, 2));
}

Needs handles(PhaseSet phases) {
  return {.name = "Guard", .handled = phases | PhaseSet{Phase::request_headers}};
}

const PhaseSet kRequest{Phase::request_body};
const PhaseSet kResponse{Phase::response_body, Phase::response_headers};

std::vector<std::string> rules(const std::string& text, const Needs& needs,
                               const CheckScope& scope = {}) {
  std::vector<std::string> all;
  for (const Finding& finding : check(text, {needs}, scope)) all.push_back(finding.rule);
  return all;
}

constexpr const char* kNoResponse = ", response_header_mode: SKIP";

std::vector<std::string> of_request(Parts parts, const Needs& needs = handles(kRequest)) {
  parts.mode += kNoResponse;
  return rules(listener(parts), needs);
}

TEST(CheckRequests, AnUpgradeMeetsABodyThatIsHeld) {
  EXPECT_THAT(of_request({}), IsEmpty());
  EXPECT_THAT(of_request({.manager = kUpgrade}), ElementsAre("upgrade-buffered"));
  EXPECT_THAT(of_request({.manager = "upgradeConfigs: { upgradeType: WebSocket }\n"}),
              ElementsAre("upgrade-buffered"));
  EXPECT_THAT(of_request({.mode = "request_body_mode: BUFFERED_PARTIAL", .manager = kUpgrade}),
              Contains("upgrade-buffered"));
  for (const char* mode : {"STREAMED", "NONE"}) {
    EXPECT_THAT(
        of_request({.mode = std::string("request_body_mode: ") + mode, .manager = kUpgrade}),
        Not(Contains("upgrade-buffered")))
        << mode;
  }
  // Of the response: the 101 does not come.
  const Parts response{.mode = "response_body_mode: BUFFERED", .manager = kUpgrade};
  const auto findings = check(listener(response), {handles(kResponse)});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].rule, "upgrade-buffered");
  EXPECT_EQ(findings[0].severity, kWarning);
  EXPECT_EQ(findings[0].line, line_of(listener(response), "upgrade_type"));
  EXPECT_THAT(findings[0].what, HasSubstr("response_body as BUFFERED"));
}

TEST(CheckRequests, WhatARouteSaysOfUpgradesCounts) {
  const std::string off = "upgrade_configs: [{ upgrade_type: websocket, enabled: false }]\n";
  const std::string on = ", upgrade_configs: [{ upgrade_type: websocket }]";
  const std::string not_on_it = ", upgrade_configs: [{ upgrade_type: websocket, enabled: false }]";
  EXPECT_THAT(of_request({.manager = off}), IsEmpty());
  EXPECT_THAT(of_request({.manager = off, .routes = route("prefix: /", on)}),
              ElementsAre("upgrade-buffered"));
  EXPECT_THAT(of_request({.routes = route("prefix: /", on)}), ElementsAre("upgrade-buffered"));
  EXPECT_THAT(of_request({.manager = kUpgrade, .routes = route("prefix: /", not_on_it)}),
              IsEmpty());
  EXPECT_THAT(
      of_request({.manager = kUpgrade,
                  .routes = "- match: { prefix: / }\n  direct_response: { status: 200 }\n"}),
      IsEmpty());
}

TEST(CheckRequests, WhatARouteSaysOfTheFilterCounts) {
  const std::string none =
      override_mode("overrides: { processing_mode: { response_header_mode: SKIP } }");
  const std::string on = ", upgrade_configs: [{ upgrade_type: websocket }]";
  // One for upgrades alone, which sends no bodies on purpose.
  EXPECT_THAT(of_request({.routes = route("prefix: /ws", on, none) + route()}), IsEmpty());
  EXPECT_THAT(
      of_request({.routes = route("prefix: /ws", on, override_mode("disabled: true")) + route()}),
      IsEmpty());
  // The other still meets them.
  EXPECT_THAT(of_request({.manager = kUpgrade, .routes = route("prefix: /ws", "", none) + route()}),
              ElementsAre("upgrade-buffered"));
  EXPECT_THAT(of_request({.manager = kUpgrade, .routes = route("prefix: /", "", none)}), IsEmpty());
  // One that holds bodies where the filter does not.
  const std::string held = override_mode(
      "overrides: { processing_mode: { request_body_mode: BUFFERED, response_header_mode: SKIP } "
      "}");
  EXPECT_THAT(of_request({.mode = "request_body_mode: STREAMED",
                          .manager = kUpgrade,
                          .routes = route("prefix: /", "", held)}),
              Contains("upgrade-buffered"));
}

TEST(CheckRequests, AnUpgradeWithFiltersOfItsOwn) {
  const auto with = [](const std::string& filters) {
    return "upgrade_configs:\n- upgrade_type: websocket\n  filters:\n" + deeper(filters, 2);
  };
  const std::string router =
      std::string("- name: r\n  typed_config: { \"@type\": ") + kTypes + "router.v3.Router }\n";
  EXPECT_THAT(of_request({.manager = with(router)}), IsEmpty());
  const std::string own = ext_proc(std::string("request_body_mode: BUFFERED") + kNoResponse);
  EXPECT_THAT(of_request({.mode = "request_body_mode: NONE", .manager = with(own + router)}),
              Contains("upgrade-buffered"));
}

TEST(CheckRequests, ConnectAndGrpc) {
  const std::string connect = "upgrade_configs: [{ upgrade_type: CONNECT }]\n";
  EXPECT_THAT(of_request({.manager = connect}), IsEmpty());
  EXPECT_THAT(of_request({.manager = connect, .routes = route("connect_matcher: {}")}),
              ElementsAre("upgrade-buffered"));
  EXPECT_THAT(of_request({.routes = route("connect_matcher: {}",
                                          ", upgrade_configs: [{ upgrade_type: CONNECT-UDP }]")}),
              ElementsAre("upgrade-buffered"));
  for (const char* match :
       {"prefix: /, grpc: {}",
        "prefix: /, headers: [{ name: content-type, string_match: { prefix: application/grpc } }]",
        "prefix: /, headers: [{ string_match: { exact: application/grpc+proto }, name: "
        "Content-Type }]"}) {
    EXPECT_THAT(of_request({.routes = route(match)}), ElementsAre("grpc-buffered")) << match;
    EXPECT_THAT(of_request({.mode = "request_body_mode: STREAMED", .routes = route(match)}),
                Not(Contains("grpc-buffered")));
  }
}

TEST(CheckRequests, AProcessorThatChoosesTheMode) {
  Needs chooses = handles(kRequest);
  chooses.filter.allow_mode_override = true;
  Parts parts{.manager = kUpgrade};
  parts.mode += kNoResponse;
  const std::string text = listener(parts);
  EXPECT_THAT(rules(text, chooses), Contains("upgrade-buffered"));
  EXPECT_THAT(rules(exchange(text, "failure_mode_allow: false",
                             "failure_mode_allow: false\n          allow_mode_override: true"),
                    chooses),
              IsEmpty());
}

TEST(CheckRequests, RoutesThatStandElsewhere) {
  // Unknown ones may be one for all.
  const std::string filter =
      deeper(ext_proc(std::string("request_body_mode: BUFFERED") + kNoResponse), 2);
  EXPECT_THAT(rules(kUpgrade + ("http_filters:\n" + filter), handles(kRequest)),
              ElementsAre("upgrade-buffered"));
  const std::string named =
      "listener:\n  " + std::string(kUpgrade) +
      "  rds: { route_config_name: r }\n  http_filters:\n" + filter +
      "routes:\n  name: r\n  virtual_hosts:\n  - routes:\n" +
      deeper(route("prefix: /", ", upgrade_configs: [{ upgrade_type: websocket, enabled: false }]"),
             4);
  EXPECT_THAT(rules(named, handles(kRequest)), IsEmpty());
  EXPECT_THAT(rules(exchange(named, "name: r\n", "name: s\n"), handles(kRequest)),
              ElementsAre("upgrade-buffered"));
}

TEST(CheckRequests, ATimeoutOfTheRouteCutsWhatIsStreamed) {
  const std::string without = "- match: { prefix: / }\n  route: { cluster: up }\n";
  for (const char* mode : {"STREAMED", "FULL_DUPLEX_STREAMED"}) {
    Needs needs = handles(kResponse);
    needs.whole = PhaseSet{Phase::response_body};
    const Parts sound{.mode =
                          "response_trailer_mode: SEND, response_body_mode: " + std::string(mode)};
    EXPECT_THAT(rules(listener(sound), needs), IsEmpty()) << mode;
    Parts cut = sound;
    cut.routes = without;
    const auto findings = check(listener(cut), {needs});
    ASSERT_THAT(findings, SizeIs(1)) << mode;
    EXPECT_EQ(findings[0].rule, "route-timeout");
    EXPECT_EQ(findings[0].severity, Severity::advice);
    EXPECT_EQ(findings[0].line, line_of(listener(cut), "route: {"));
  }
  EXPECT_THAT(rules(listener({.mode = "response_body_mode: BUFFERED", .routes = without}),
                    handles(kResponse)),
              IsEmpty());
}

TEST(CheckBuffers, WhatTheServerDoesNotAccept) {
  const std::string large = "per_connection_buffer_limit_bytes: 52428800\n";
  EXPECT_THAT(of_request({.listener = large}), ElementsAre("message-limit"));
  EXPECT_THAT(of_request({.listener = "per_connection_buffer_limit_bytes: 1048576\n"}), IsEmpty());
  EXPECT_THAT(of_request({.mode = "request_body_mode: STREAMED", .listener = large}),
              Not(Contains("message-limit")));
  EXPECT_THAT(of_request({.manager = "http2_protocol_options: { initial_stream_window_size: "
                                     "67108864 }\n"}),
              ElementsAre("message-limit"));
  EXPECT_THAT(of_request({.routes = route() + "  request_body_buffer_limit: 67108864\n"}),
              ElementsAre("message-limit"));
  const std::string buffer = std::string("- name: b\n  typed_config: { \"@type\": ") + kTypes +
                             "buffer.v3.Buffer, max_request_bytes: 20000000 }\n";
  // It counts for those behind it, and for requests.
  const auto with_buffer = [&](std::string mode) {
    return exchange(listener({.mode = mode + kNoResponse}), "      - name: guard\n",
                    deeper(buffer, 6) + "      - name: guard\n");
  };
  EXPECT_THAT(of_request({.behind = buffer}), IsEmpty());
  EXPECT_THAT(rules(with_buffer("request_body_mode: BUFFERED"), handles(kRequest)),
              ElementsAre("message-limit"));
  EXPECT_THAT(
      rules(with_buffer("response_body_mode: BUFFERED"), handles(PhaseSet{Phase::response_body})),
      IsEmpty());
  Parts parts{.listener = large};
  parts.mode += kNoResponse;
  EXPECT_THAT(rules(listener(parts), handles(kRequest), {.message_bytes = 64U << 20U}), IsEmpty());
  // The processor's cluster has none that counts.
  EXPECT_THAT(
      of_request({.upstream_filters = "  []\nclusters: [{ name: guard, load_assignment: {}, "
                                      "per_connection_buffer_limit_bytes: 52428800 }]\n"}),
      Not(Contains("message-limit")));
}

TEST(CheckBuffers, ADecompressorThatSeesTheResponseFirst) {
  const auto of_response = [](Parts parts, std::string mode = "response_body_mode: BUFFERED") {
    parts.mode = std::move(mode);
    return rules(listener(parts), handles(kResponse));
  };
  for (const char* library : {"gzip", "brotli", "zstd"}) {
    EXPECT_THAT(of_response({.behind = decompressor("", library)}),
                ElementsAre("decompressor-behind"));
  }
  EXPECT_THAT(of_response({.behind = decompressor()}, "response_body_mode: STREAMED"),
              Contains("decompressor-behind"));
  EXPECT_THAT(of_response({.behind = decompressor()}, "request_body_mode: BUFFERED"),
              Not(Contains("decompressor-behind")));
  EXPECT_THAT(of_response({.behind = decompressor("    response_direction_config: { common_config: "
                                                  "{ enabled: { default_value: false } } }\n")}),
              IsEmpty());
  const std::string held =
      override_mode("overrides: { processing_mode: { response_body_mode: BUFFERED } }");
  EXPECT_THAT(of_response({.behind = decompressor(), .routes = route("prefix: /", "", held)},
                          "response_body_mode: NONE"),
              Contains("decompressor-behind"));
  // In front of the processor it sees the response last.
  Parts parts{.mode = "response_body_mode: BUFFERED"};
  std::string text = listener(parts);
  text =
      exchange(text, "      - name: guard\n", deeper(decompressor(), 6) + "      - name: guard\n");
  EXPECT_THAT(rules(text, handles(kResponse)), IsEmpty());
}

}  // namespace
}  // namespace extproc::envoy_config
