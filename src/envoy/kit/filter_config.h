#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/kit/modes.h"
#include "envoy/kit/mutation_rules.h"
#include "envoy/kit/string_matcher.h"
#include "extproc/settings.h"

namespace extproc::testing::envoy {

enum class RouteCacheAction : std::uint8_t { when_asked = 0, clear = 1, retain = 2 };

/// `envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor`, with Envoy's defaults.
struct FilterConfig {
  bool failure_mode_allow = false;
  ProcessingMode mode;
  std::vector<std::string> request_attributes;
  std::vector<std::string> response_attributes;
  std::chrono::nanoseconds message_timeout = std::chrono::milliseconds(200);
  std::chrono::nanoseconds max_message_timeout{0};
  /// `timeout` of the gRPC service.
  std::optional<std::chrono::nanoseconds> grpc_timeout;
  MutationRules mutation_rules;
  std::vector<StringMatcher> allowed_headers;
  std::vector<StringMatcher> disallowed_headers;
  bool allow_mode_override = false;
  std::vector<ProcessingMode> allowed_override_modes;
  bool disable_immediate_response = false;
  std::vector<std::string> forwarding_namespaces;
  std::vector<std::string> receiving_namespaces;
  bool observability_mode = false;
  RouteCacheAction route_cache_action = RouteCacheAction::when_asked;
  bool send_body_without_waiting = false;
  bool allow_content_length_header = false;
  std::chrono::nanoseconds deferred_close_timeout = std::chrono::seconds(5);
  int status_on_error = 500;
};

/// Throws EnvoyConfigError.
FilterConfig read_filter_config(std::string_view yaml);

/// What a processor of the library is to be told of the filter. Of mutation_rules that is
/// allow_all_routing and allow_envoy; what `disallow_*` and the expressions do besides is Envoy's
/// half alone. A max_message_timeout below message_timeout gives nobody more time: it is none.
FilterSettings filter_settings(const FilterConfig& config);

}  // namespace extproc::testing::envoy
