#include "envoy/write/documents.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include "envoy/check/check.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const server::TcpAddress kTcp{"127.0.0.1", 50051};

Processor processor(Needs needs, const std::string& cluster = "guard", Endpoint address = kTcp) {
  return {std::move(needs), cluster, std::move(address)};
}

constexpr PhaseSet kBodies{Phase::request_body, Phase::response_body};

Needs everything() {
  return {.name = "Guard", .handled = PhaseSet::all(), .chain_header = "x-ext-procs-applied"};
}

YAML::Node filter_config(const Processor& one, const DocumentOptions& options = {}) {
  return YAML::Load(write(Format::filter, {one}, options))[0]["typed_config"];
}

TEST(Documents, NamesOfClusters) {
  const std::pair<const char*, const char*> cases[] = {
      {"TrivialExtProcService", "trivial-ext-proc-service"},
      {"HTTPGuard", "http-guard"},
      {"Guard2", "guard2"},
      {"my_guard", "my-guard"},
      {"A,B", "a-b"},
      {"x", "x"},
      {"_", "extproc"}};
  for (const auto& [name, cluster] : cases) EXPECT_EQ(cluster_name(name), cluster) << name;
}

TEST(Documents, TheFilterStatesWhatItIsSetTo) {
  const YAML::Node config = filter_config(processor(everything()));
  EXPECT_EQ(config["grpc_service"]["envoy_grpc"]["cluster_name"].Scalar(), "guard");
  EXPECT_FALSE(config["grpc_service"]["timeout"]);
  const YAML::Node retries = config["grpc_service"]["retry_policy"];
  EXPECT_EQ(retries["num_retries"].Scalar(), "5");
  // A stream that has begun is not begun again.
  EXPECT_EQ(retries["retry_on"].Scalar(), "connect-failure,refused-stream");
  EXPECT_EQ(config["failure_mode_allow"].Scalar(), "false");
  EXPECT_EQ(config["message_timeout"].Scalar(), "0.2s");
  EXPECT_FALSE(config["max_message_timeout"]);
  EXPECT_FALSE(config["mutation_rules"]);
  EXPECT_FALSE(config["allow_mode_override"]);
  const std::pair<const char*, const char*> mode[] = {
      {"request_header_mode", "SEND"},   {"response_header_mode", "SEND"},
      {"request_body_mode", "BUFFERED"}, {"response_body_mode", "BUFFERED"},
      {"request_trailer_mode", "SEND"},  {"response_trailer_mode", "SEND"}};
  for (const auto& [field, value] : mode) {
    EXPECT_EQ(config["processing_mode"][field].Scalar(), value) << field;
  }
}

TEST(Documents, OptionsOfTheFilter) {
  DocumentOptions options;
  options.failure_mode_allow = true;
  Needs needs{.name = "Guard", .handled = {Phase::request_headers}};
  needs.filter = {.message_timeout = 1250ms,
                  .max_message_timeout = 3s,
                  .allow_envoy = true,
                  .allow_mode_override = true};
  const YAML::Node config = filter_config(processor(needs), options);
  EXPECT_EQ(config["failure_mode_allow"].Scalar(), "true");
  EXPECT_EQ(config["message_timeout"].Scalar(), "1.25s");
  EXPECT_EQ(config["max_message_timeout"].Scalar(), "3s");
  EXPECT_EQ(config["mutation_rules"]["allow_envoy"].Scalar(), "true");
  EXPECT_FALSE(config["mutation_rules"]["allow_all_routing"]);
  EXPECT_EQ(config["allow_mode_override"].Scalar(), "true");
  EXPECT_EQ(config["processing_mode"]["response_header_mode"].Scalar(), "SKIP");
  EXPECT_EQ(config["processing_mode"]["request_body_mode"].Scalar(), "NONE");
}

TEST(Documents, WhatTheFilterKeepsAndAllows) {
  Needs needs{.name = "Guard", .handled = {Phase::request_headers}};
  EXPECT_FALSE(filter_config(processor(needs))["allow_content_length_header"]);
  needs.filter = {.allow_content_length_header = true, .allow_mode_override = true};
  const YAML::Node all = filter_config(processor(needs));
  EXPECT_EQ(all["allow_content_length_header"].Scalar(), "true");
  EXPECT_EQ(all["allow_mode_override"].Scalar(), "true");
  EXPECT_FALSE(all["allowed_override_modes"]);
  needs.filter = {
      .allow_mode_override = true,
      .allowed_override_modes = {{.response_body_mode = BodySendMode::full_duplex_streamed,
                                  .response_trailer_mode = HeaderSendMode::send},
                                 {.request_body_mode = BodySendMode::none}}};
  const YAML::Node some = filter_config(processor(needs));
  EXPECT_EQ(some["allow_mode_override"].Scalar(), "true");
  const YAML::Node modes = some["allowed_override_modes"];
  ASSERT_EQ(modes.size(), 2U);
  EXPECT_EQ(modes[0].size(), 2U);
  EXPECT_EQ(modes[0]["response_body_mode"].Scalar(), "FULL_DUPLEX_STREAMED");
  EXPECT_EQ(modes[0]["response_trailer_mode"].Scalar(), "SEND");
  EXPECT_EQ(modes[1]["request_body_mode"].Scalar(), "NONE");
}

TEST(Documents, TheClusterReachesTheProcessor) {
  const auto cluster = [](const Endpoint& address) {
    return YAML::Load(write(Format::cluster, {processor(everything(), "guard", address)}, {}))[0];
  };
  const auto address = [](const YAML::Node& node) {
    return node["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"];
  };
  const YAML::Node tcp = cluster(kTcp);
  EXPECT_EQ(tcp["type"].Scalar(), "STATIC");
  EXPECT_EQ(address(tcp)["socket_address"]["port_value"].as<int>(), 50051);
  const YAML::Node local = cluster(server::UnixAddress{"/run/a.sock"});
  EXPECT_EQ(local["type"].Scalar(), "STATIC");
  EXPECT_EQ(address(local)["pipe"]["path"].Scalar(), "/run/a.sock");
  EXPECT_EQ(cluster(server::TcpAddress{"guard.example", 1})["type"].Scalar(), "STRICT_DNS");
  const YAML::Node http2 = tcp["typed_extension_protocol_options"]
                              ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
                              ["explicit_http_config"]["http2_protocol_options"];
  EXPECT_TRUE(http2["connection_keepalive"]);
  EXPECT_EQ(http2["initial_stream_window_size"].Scalar(), "1048576");
  EXPECT_EQ(tcp["circuit_breakers"]["thresholds"][0]["max_retries"].Scalar(), "100000");
  EXPECT_EQ(tcp["health_checks"][0]["grpc_health_check"]["service_name"].Scalar(),
            "envoy.service.ext_proc.v3.ExternalProcessor");
}

TEST(Documents, AFilterAndAClusterForEachInOrder) {
  const std::vector<Processor> two = {processor(everything(), "first"),
                                      processor(everything(), "second")};
  for (const Format format : {Format::filter, Format::cluster}) {
    const YAML::Node all = YAML::Load(write(format, two, {}));
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0]["name"].Scalar(), "first");
    EXPECT_EQ(all[1]["name"].Scalar(), "second");
  }
  const YAML::Node root = YAML::Load(write(Format::full, two, {}));
  const YAML::Node filters = root["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
                                 [0]["typed_config"]["http_filters"];
  ASSERT_EQ(filters.size(), 3U);
  EXPECT_EQ(filters[1]["name"].Scalar(), "second");
  EXPECT_EQ(filters[2]["name"].Scalar(), "envoy.filters.http.router");
  EXPECT_EQ(root["static_resources"]["clusters"].size(), 3U);
}

TEST(Documents, TrailersOfHttp1AreTurnedOnWhereTheyAreHandled) {
  const char* enabled = "enable_trailers: true";
  EXPECT_THAT(write(Format::full, {processor({.handled = {Phase::request_headers}})}, {}),
              Not(HasSubstr(enabled)));
  const std::string request =
      write(Format::full, {processor({.handled = {Phase::request_trailers}})}, {});
  EXPECT_LT(request.find(enabled), request.find("clusters:"));
  const std::string response =
      write(Format::full, {processor({.handled = {Phase::response_trailers}})}, {});
  EXPECT_GT(response.find(enabled), response.find("name: upstream"));
}

TEST(Documents, NothingIsFoundInWhatIsWritten) {
  for (const Format format : {Format::filter, Format::full, Format::istio}) {
    for (const BodySendMode mode : kBodyModes) {
      if (mode == BodySendMode::none) continue;
      for (unsigned bits = 0; bits < (1U << kPhaseCount); ++bits) {
        Needs needs{.name = "Guard", .chain_header = bits % 3 == 0 ? "" : "x-ext-procs-applied"};
        for (const Phase phase : kPhases) {
          if ((bits & (1U << static_cast<unsigned>(phase))) != 0) needs.handled.insert(phase);
        }
        if (bits % 5 == 0) needs.whole = needs.handled & kBodies;
        if (bits % 5 != 0 || mode != BodySendMode::buffered)
          needs.request_body_mode = needs.response_body_mode = mode;
        needs.request_data = bits % 2 == 0;
        needs.filter.allow_mode_override = mode == BodySendMode::streamed;
        const std::string text = write(format, {processor(needs)}, {});
        const auto findings = check(text, {needs});
        EXPECT_TRUE(findings.empty()) << findings[0].rule << " in\n" << text;
      }
    }
  }
}

TEST(Documents, NothingIsFoundInWhatIsWrittenForOneThatOnlyLooks) {
  for (const PhaseSet whole : {PhaseSet{}, kBodies}) {
    for (const bool keeps_length : {false, true}) {
      Needs needs{.name = "Guard", .handled = PhaseSet::all(), .whole = whole};
      needs.stated.observability_mode = true;
      needs.filter.allow_content_length_header = keeps_length;
      const std::string text = write(Format::full, {processor(needs)}, {});
      EXPECT_THAT(text, HasSubstr("request_body_mode: STREAMED"));
      const auto findings = check(text, {needs});
      EXPECT_TRUE(findings.empty()) << findings[0].rule << " in\n" << text;
    }
  }
}

TEST(Documents, WhatCannotBeWrittenIsRefused) {
  const auto refusal = [](Format format, const Needs& needs, const DocumentOptions& options = {}) {
    try {
      write(format, {processor(needs)}, options);
      return std::string("written");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  DocumentOptions open;
  open.failure_mode_allow = true;
  const Needs plain{.handled = {Phase::request_headers}};
  Needs more_time = plain;
  more_time.filter.max_message_timeout = 1s;
  Needs routing = plain;
  routing.filter.allow_all_routing = true;
  Needs duplex = everything();
  duplex.request_body_mode = BodySendMode::full_duplex_streamed;
  EXPECT_THAT(refusal(Format::filter, duplex, open), HasSubstr("--failure-mode-allow"));
  EXPECT_EQ(refusal(Format::filter, duplex), "written");
  EXPECT_THAT(refusal(Format::envoy_gateway, everything()), HasSubstr("cannot send trailers"));
  EXPECT_THAT(refusal(Format::envoy_gateway, more_time), HasSubstr("max_message_timeout"));
  EXPECT_THAT(refusal(Format::envoy_gateway, routing), HasSubstr("mutation_rules"));
  EXPECT_EQ(refusal(Format::istio, more_time), "written");
  duplex.response_body_mode = BodySendMode::full_duplex_streamed;
  EXPECT_EQ(refusal(Format::envoy_gateway, duplex), "written");
}

TEST(Documents, EnvoyGatewayHasABackendAndAPolicy) {
  DocumentOptions options;
  options.kubernetes_namespace = "shop";
  options.target = KubernetesTarget{"HTTPRoute", "cart"};
  Needs needs{.name = "Guard",
              .handled = {Phase::request_headers, Phase::request_body},
              .chain_header = "x-ext-procs-applied"};
  needs.filter.message_timeout = 150s;
  const auto documents = YAML::LoadAll(write(Format::envoy_gateway, {processor(needs)}, options));
  // The policy for buffers stands behind.
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_EQ(documents[0]["kind"].Scalar(), "Backend");
  EXPECT_EQ(documents[0]["spec"]["endpoints"][0]["ip"]["port"].as<int>(), 50051);
  const YAML::Node policy = documents[1];
  EXPECT_EQ(policy["kind"].Scalar(), "EnvoyExtensionPolicy");
  EXPECT_EQ(policy["metadata"]["namespace"].Scalar(), "shop");
  EXPECT_EQ(policy["spec"]["targetRefs"][0]["kind"].Scalar(), "HTTPRoute");
  const YAML::Node extension = policy["spec"]["extProc"][0];
  EXPECT_EQ(extension["messageTimeout"].Scalar(), "150s");
  EXPECT_EQ(extension["failOpen"].Scalar(), "false");
  EXPECT_EQ(extension["processingMode"]["request"]["body"].Scalar(), "Buffered");
  EXPECT_TRUE(extension["processingMode"]["response"].IsMap());
  EXPECT_EQ(extension["processingMode"]["response"].size(), 0U);
  const YAML::Node settings = extension["backendSettings"];
  // As in the other formats: what a replica that dies had not begun is begun on another.
  EXPECT_EQ(settings["retry"]["numRetries"].Scalar(), "5");
  EXPECT_EQ(settings["retry"]["retryOn"]["triggers"].size(), 2U);
  EXPECT_EQ(settings["retry"]["perRetry"]["backOff"]["maxInterval"].Scalar(), "20ms");
  EXPECT_EQ(settings["circuitBreaker"]["maxParallelRetries"].Scalar(), "100000");
}

TEST(Documents, EnvoyGatewayHoldsBodiesThatAreBuffered) {
  const auto kinds = [](const Needs& needs, const DocumentOptions& options = {}) {
    std::vector<std::string> all;
    for (const auto& one : YAML::LoadAll(write(Format::envoy_gateway, {processor(needs)}, options)))
      all.push_back(one["kind"].Scalar() + " " +
                    (one["spec"]["targetRefs"] ? one["spec"]["targetRefs"][0]["name"].Scalar()
                                               : std::string("-")) +
                    " " +
                    (one["spec"]["connection"] ? one["spec"]["connection"]["bufferLimit"].Scalar()
                                               : std::string("-")));
    return all;
  };
  using ::testing::ElementsAre;
  const Needs buffered{.name = "Guard", .handled = {Phase::response_body}};
  EXPECT_THAT(kinds(buffered), ElementsAre("Backend - -", "EnvoyExtensionPolicy gateway -",
                                           "ClientTrafficPolicy gateway 1Mi"));
  DocumentOptions of_route;
  of_route.target = KubernetesTarget{"HTTPRoute", "cart"};
  of_route.gateway = "edge";
  EXPECT_THAT(kinds(buffered, of_route), ElementsAre("Backend - -", "EnvoyExtensionPolicy cart -",
                                                     "ClientTrafficPolicy edge 1Mi"));
  for (const Needs& other :
       {Needs{.name = "Guard", .handled = {Phase::request_headers}},
        Needs{.name = "Guard", .handled = {Phase::response_body}, .whole = kBodies}})
    EXPECT_THAT(kinds(other), ElementsAre("Backend - -", "EnvoyExtensionPolicy gateway -"));
}

TEST(Documents, RoutesHaveNoTimeoutAndUpgradesOneOfTheirOwn) {
  const auto manager = [](const Needs& needs, bool upgrades) {
    DocumentOptions options;
    options.upgrades = upgrades;
    const std::string text = write(Format::full, {processor(needs)}, options);
    EXPECT_TRUE(check(text, {needs}).empty()) << text;
    const YAML::Node root = YAML::Load(text);
    return root["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
               ["typed_config"];
  };
  const auto routes = [](const YAML::Node& one) {
    return one["route_config"]["virtual_hosts"][0]["routes"];
  };
  const Needs headers{.name = "Guard", .handled = {Phase::request_headers}};
  const Needs buffered{.name = "Guard", .handled = {Phase::request_body, Phase::response_headers}};

  const YAML::Node closed = manager(buffered, false);
  EXPECT_FALSE(closed["upgrade_configs"]);
  ASSERT_EQ(routes(closed).size(), 1U);
  EXPECT_EQ(routes(closed)[0]["route"]["timeout"].Scalar(), "0s");

  const YAML::Node plain = manager(headers, true);
  EXPECT_EQ(plain["upgrade_configs"][0]["upgrade_type"].Scalar(), "websocket");
  ASSERT_EQ(routes(plain).size(), 1U);

  const YAML::Node held = manager(buffered, true);
  EXPECT_FALSE(held["upgrade_configs"]);
  ASSERT_EQ(routes(held).size(), 2U);
  EXPECT_EQ(routes(held)[0]["route"]["upgrade_configs"][0]["upgrade_type"].Scalar(), "websocket");
  const YAML::Node mode =
      routes(held)[0]["typed_per_filter_config"]["guard"]["overrides"]["processing_mode"];
  EXPECT_EQ(mode["request_body_mode"].Scalar(), "NONE");
  EXPECT_EQ(mode["response_header_mode"].Scalar(), "SEND");
}

}  // namespace
}  // namespace extproc::envoy_config
