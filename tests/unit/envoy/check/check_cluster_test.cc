#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

TEST(CheckCluster, TheCluster) {
  const char* http2 =
      "http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s }, "
      "initial_stream_window_size: 1048576 }";
  const char* cluster = "- name: guard\n      typed_ext";
  const char* thresholds = "thresholds: [ { max_requests: 5000, max_pending_requests: 5000 } ]";
  const Case cases[] = {
      {"no-http2", kError, http2, "http_protocol_options: {}", cluster},
      {"no-keepalive", kWarning, http2, "http2_protocol_options: { hpack_table_size: 1 }",
       "http2_protocol_options"},
      {"no-health-check", kWarning, "      health_checks:\n        - grpc_health_check: {}\n", "",
       cluster},
      {"health-check-not-grpc", kWarning, "grpc_health_check: {}", "tcp_health_check: {}",
       "tcp_health_check"},
      {"circuit-breaker", kWarning, thresholds,
       "thresholds: [ { max_requests: 1024, max_pending_requests: 5000 } ]", "thresholds"},
      {"circuit-breaker", kWarning, thresholds, "thresholds: [ { max_requests: 5000 } ]",
       "thresholds"},
      {"circuit-breaker", kWarning, thresholds,
       "thresholds: [ { max_requests: 5000, max_pending_requests: 5000, priority: HIGH }, { "
       "max_requests: 1, max_pending_requests: 5000 } ]",
       "thresholds"},
      {"cluster-missing", kError, "cluster_name: guard }\n                      failure",
       "cluster_name: gard }\n                      failure", "gard"}};
  for (const Case& one : cases) expect_found(one);
}

TEST(CheckCluster, Http2IsSaidInSeveralWays) {
  const std::string http2 =
      "http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s }, "
      "initial_stream_window_size: 1048576 }";
  const std::string old =
      exchange(exchange(std::string(kSound), http2, "http_protocol_options: {}"),
               "      health_checks:", "      " + http2 + "\n      health_checks:");
  EXPECT_TRUE(check(old, {all_needs()}).empty());
  const std::string automatic =
      exchange(std::string(kSound), "explicit_http_config", "auto_config");
  const auto plain = check(automatic, {all_needs()});
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain[0].rule, "no-http2");
  const std::string agreed = exchange(
      automatic,
      "      health_checks:", "      transport_socket: { name: tls }\n      health_checks:");
  EXPECT_TRUE(check(agreed, {all_needs()}).empty());
}

std::vector<std::string> found(const std::string& text, const Needs& needs = all_needs()) {
  std::vector<std::string> rules;
  for (const Finding& finding : check(text, {needs})) rules.push_back(finding.rule);
  return rules;
}

/// The sound configuration with more in its cluster.
std::string with_cluster(const std::string& more) {
  return exchange(std::string(kSound), "      health_checks:", more + "      health_checks:");
}

TEST(CheckCluster, RetriesWhereThereAreReplicas) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  const char* endpoint = "{ endpoint: {} }";
  const auto with_endpoints = [&](const std::string& list) {
    return exchange(std::string(kSound), "load_assignment: { cluster_name: guard }",
                    "load_assignment: { cluster_name: guard, endpoints: " + list + " }");
  };
  const std::string one = "[ { lb_endpoints: [ " + std::string(endpoint) + " ] } ]";
  const std::string two = "[ { lb_endpoints: [ " + std::string(endpoint) +
                          " ] }, { lb_endpoints: [ " + endpoint + " ] } ]";
  EXPECT_THAT(found(with_endpoints(one)), IsEmpty());
  EXPECT_THAT(found(with_endpoints(two)), ElementsAre("no-retry-policy"));
  EXPECT_EQ(check(with_endpoints(two), {all_needs()})[0].severity, Severity::advice);
  EXPECT_THAT(found(with_cluster("      type: STRICT_DNS\n")), ElementsAre("no-retry-policy"));

  const std::string retried = exchange(with_endpoints(two), "envoy_grpc: { cluster_name: guard }",
                                       "envoy_grpc: { cluster_name: guard }\n"
                                       "                        retry_policy: { num_retries: 5 }");
  EXPECT_THAT(found(retried), ElementsAre("circuit-breaker"));
  const char* breaker = "max_pending_requests: 5000";
  for (const char* enough : {", max_retries: 5000", ", retry_budget: {}"}) {
    EXPECT_THAT(found(exchange(retried, breaker, breaker + std::string(enough))), IsEmpty());
  }
  EXPECT_THAT(found(exchange(retried, breaker, breaker + std::string(", max_retries: 3"))),
              ElementsAre("circuit-breaker"));
}

TEST(CheckCluster, TheWindowCountsWhereBodiesAreStreamed) {
  const std::string wide =
      exchange(std::string(kSound), ", initial_stream_window_size: 1048576", "");
  EXPECT_THAT(found(wide), ::testing::IsEmpty());
  for (const char* mode : {"STREAMED", "FULL_DUPLEX_STREAMED"}) {
    const std::string streamed =
        exchange(wide, "response_body_mode: BUFFERED", "response_body_mode: " + std::string(mode));
    const Needs needs = expects(BodySendMode::buffered, *parse_body_mode(mode));
    const auto findings = check(streamed, {needs});
    ASSERT_EQ(findings.size(), 1U) << mode;
    EXPECT_EQ(findings[0].rule, "stream-window");
    EXPECT_EQ(findings[0].severity, Severity::advice);
    EXPECT_EQ(findings[0].line, line_of(streamed, "http2_protocol_options"));
  }
}

}  // namespace
}  // namespace extproc::envoy_config
