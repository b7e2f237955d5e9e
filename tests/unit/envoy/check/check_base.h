#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/check/check.h"
#include "envoy/needs.h"

namespace extproc::envoy_config {

/// A configuration in which nothing bites a processor that handles every phase, to be damaged by a
/// test.
inline constexpr std::string_view kSound = R"(
static_resources:
  listeners:
    - name: http
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                http_filters:
                  - name: guard
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
                      grpc_service:
                        envoy_grpc: { cluster_name: guard }
                      failure_mode_allow: false
                      message_timeout: 0.5s
                      max_message_timeout: 2s
                      mutation_rules: {}
                      processing_mode:
                        request_header_mode: SEND
                        response_header_mode: SEND
                        request_body_mode: BUFFERED
                        response_body_mode: BUFFERED
                        request_trailer_mode: SEND
                        response_trailer_mode: SEND
                  - name: router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
                route_config:
                  virtual_hosts:
                    - name: all
                      routes:
                        - name: override
                          typed_per_filter_config:
                            guard:
                              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute
                              disabled: true
  clusters:
    - name: guard
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config:
            http2_protocol_options: { connection_keepalive: { interval: 30s, timeout: 5s }, initial_stream_window_size: 1048576 }
      health_checks:
        - grpc_health_check: {}
      circuit_breakers:
        thresholds: [ { max_requests: 5000, max_pending_requests: 5000 } ]
      load_assignment: { cluster_name: guard }
)";

/// The text with its only `from` exchanged.
inline std::string exchange(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos || text.find(from, at + 1) != std::string::npos) {
    return "not once: " + std::string(from);
  }
  return text.replace(at, from.size(), to);
}

/// The number of the only line that contains `part`; 0 when that is not one.
inline int line_of(const std::string& text, std::string_view part) {
  const std::size_t at = text.find(part);
  if (at == std::string::npos || text.find(part, at + 1) != std::string::npos) return 0;
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(at);
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

inline Needs all_needs() {
  return {.name = "Guard", .handled = PhaseSet::all(), .chain_header = "x-ext-procs-applied"};
}

inline Needs needs_without(Phase phase) {
  Needs needs = all_needs();
  needs.handled = {};
  for (const Phase other : kPhases) {
    if (other != phase) needs.handled.insert(other);
  }
  return needs;
}

inline constexpr auto kError = Severity::error;
inline constexpr auto kWarning = Severity::warning;

/// What is damaged in the sound configuration, and the one finding that must come of it, at the
/// line that contains `line`.
struct Case {
  const char* rule;
  Severity severity;
  const char* from;
  const char* to;
  const char* line;
  Needs needs = all_needs();
};

inline void expect_found(const Case& one) {
  const std::string sound(kSound);
  const std::string damaged = exchange(sound, one.from, one.to);
  const std::string context = std::string(one.rule) + ": " + one.to;
  const int line = line_of(damaged, one.line);
  ASSERT_NE(line, 0) << context << "\n" << damaged.substr(0, 60);
  const std::vector<Finding> findings = check(damaged, {one.needs});
  ASSERT_EQ(findings.size(), 1U) << context
                                 << (findings.empty()
                                         ? ""
                                         : findings[0].rule + " " + findings.back().rule);
  EXPECT_EQ(findings[0].rule, one.rule) << context;
  EXPECT_EQ(findings[0].line, line) << context;
  EXPECT_GT(findings[0].column, 0) << context;
  EXPECT_EQ(findings[0].severity, one.severity) << context;
  EXPECT_FALSE(findings[0].what.empty() || findings[0].mend.empty()) << context;
  // The mended twin.
  EXPECT_TRUE(check(sound, {one.needs}).empty()) << context;
}

inline Needs expects(BodySendMode request, BodySendMode response = BodySendMode::buffered) {
  Needs needs = all_needs();
  needs.request_body_mode = request;
  needs.response_body_mode = response;
  return needs;
}

}  // namespace extproc::envoy_config
