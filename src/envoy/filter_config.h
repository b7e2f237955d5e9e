#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/modes.h"
#include "envoy/mutation_rules.h"
#include "envoy/setting.h"
#include "envoy/string_matcher.h"
#include "extproc/filter_settings.h"
#include "extproc/phase.h"

namespace extproc::envoy_config {

enum class RouteCacheAction : std::uint8_t { when_asked = 0, clear = 1, retain = 2 };

/// A ProcessingMode, and where it states each phase.
struct StatedMode : ProcessingMode {
  std::array<Place, std::size(kPhases)> places{};

  Place& place_of(Phase phase) { return places[static_cast<std::size_t>(phase)]; }
  Place place_of(Phase phase) const { return places[static_cast<std::size_t>(phase)]; }
};

/// Headers of the gRPC call.
using CallMetadata = std::vector<std::pair<std::string, std::string>>;

/// `envoy.config.core.v3.GrpcService`, as far as it is of interest.
struct GrpcService {
  /// Where google_grpc is stated.
  Place google_grpc{};
  /// Of envoy_grpc.
  Setting<std::string> cluster_name{};
  Setting<std::optional<std::chrono::nanoseconds>> timeout{};
  CallMetadata initial_metadata{};
  /// Where it is stated; what it says is not read.
  Place retry_policy{};
};

/// Namespaces of dynamic metadata, of `MetadataOptions`: the untyped ones.
struct MetadataNamespaces {
  Setting<std::vector<std::string>> forwarding{};
  Setting<std::vector<std::string>> receiving{};
};

/// `envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor`, with Envoy's defaults.
struct FilterConfig {
  Setting<GrpcService> grpc_service{};
  Setting<bool> failure_mode_allow{};
  Setting<StatedMode> processing_mode{};
  /// What a route says in place of it. A processor's override of the mode is laid over the filter's
  /// all the same.
  std::optional<ProcessingMode> mode_of_route{};
  Setting<std::vector<std::string>> request_attributes{};
  Setting<std::vector<std::string>> response_attributes{};
  Setting<std::chrono::nanoseconds> message_timeout{std::chrono::milliseconds(200)};
  Setting<std::chrono::nanoseconds> max_message_timeout{};
  Setting<std::chrono::nanoseconds> deferred_close_timeout{std::chrono::seconds(5)};
  Setting<MutationRules> mutation_rules{};
  std::vector<StringMatcher> allowed_headers{};
  std::vector<StringMatcher> disallowed_headers{};
  Setting<bool> allow_mode_override{};
  std::vector<ProcessingMode> allowed_override_modes{};
  Setting<bool> disable_immediate_response{};
  MetadataNamespaces metadata{};
  Setting<bool> observability_mode{};
  RouteCacheAction route_cache_action = RouteCacheAction::when_asked;
  Setting<bool> send_body_without_waiting{};
  Setting<bool> allow_content_length_header{};
  int status_on_error = 500;

  const ProcessingMode& first_mode() const {
    return mode_of_route ? *mode_of_route : *processing_mode;
  }

  /// Where these are stated; what they say is not read.
  Place http_service{};
  Place on_processing_response{};
  Place processing_request_modifier{};
};

/// `ExtProcPerRoute`, and its `ExtProcOverrides`: what a route says otherwise.
struct RouteConfig {
  Setting<bool> disabled{};
  Setting<StatedMode> processing_mode{};
  Setting<GrpcService> grpc_service{};
  CallMetadata grpc_initial_metadata{};
  Setting<bool> failure_mode_allow{};
  MetadataNamespaces metadata{};
  /// Where these are stated; what they say is not read.
  Place request_attributes{};
  Place response_attributes{};
  Place processing_request_modifier{};
};

/// What routes say of the mode, the most general first; nothing where the filter's own counts.
std::optional<ProcessingMode> mode_on_routes(const std::vector<const RouteConfig*>& routes);

/// The filter on a route: `routes` are what is said of it, the most general first. Attributes are
/// not read there by Envoy.
FilterConfig on_routes(FilterConfig filter, const std::vector<RouteConfig>& routes);

/// The module of Envoy in which processors run: libextproc_envoy.so.
inline constexpr std::string_view kEnvoyModule = "extproc_envoy";

/// What comes of what Envoy does not take.
inline constexpr std::string_view kIsRefused = "Envoy refuses the configuration";

/// Bodies that are sent as FULL_DUPLEX_STREAMED without their trailers. `name` is the filter's, and
/// `effect` what comes of it, for people; `otherwise` is where the mode would be stated.
std::vector<Problem> full_duplex_problems(const StatedMode& mode, std::string_view name,
                                          std::string_view effect, Place otherwise);

/// What a processor of the library is to be told of the filter. Of mutation_rules that is
/// allow_all_routing and allow_envoy; what `disallow_*` and the expressions do besides is Envoy's
/// half alone. A max_message_timeout below message_timeout gives nobody more time: it is none.
FilterSettings filter_settings(const FilterConfig& config);

}  // namespace extproc::envoy_config
