#include <gmock/gmock.h>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

TEST(CheckCluster, TheCluster) {
  const char* http2 =
      "http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s } }";
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
      "http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s } }";
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

}  // namespace
}  // namespace extproc::envoy_config
