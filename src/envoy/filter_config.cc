#include "envoy/filter_config.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace extproc::envoy_config {
namespace {

template <class T>
void take(const Setting<T>& from, Setting<T>& to) {
  if (from.is_stated()) to = from;
}

/// A header that is there is replaced.
void set(CallMetadata& metadata, const CallMetadata::value_type& header) {
  std::erase_if(metadata, [&](const auto& other) { return other.first == header.first; });
  metadata.push_back(header);
}

constexpr ProcessingMode kNothingSent{.request_headers = HeaderSendMode::skip,
                                      .response_headers = HeaderSendMode::skip};

}  // namespace

std::vector<Problem> full_duplex_problems(const StatedMode& mode, std::string_view name,
                                          std::string_view effect, Place otherwise) {
  std::vector<Problem> problems;
  for (const auto& [body, trailers] : {std::pair{Phase::request_body, Phase::request_trailers},
                                       {Phase::response_body, Phase::response_trailers}}) {
    if (mode.body(body) != BodySendMode::full_duplex_streamed || mode.sends(trailers)) continue;
    const Place place = mode.place_of(body);
    problems.push_back({place ? place : otherwise, "full-duplex-without-trailers",
                        std::string(name) + " sends " + std::string(to_string(body)) +
                            " as FULL_DUPLEX_STREAMED without " + std::string(to_string(trailers)) +
                            ": " + std::string(effect),
                        "set " + std::string(mode_field(trailers)) + ": SEND"});
  }
  return problems;
}

std::optional<ProcessingMode> mode_on_routes(const std::vector<const RouteConfig*>& routes) {
  if (!routes.empty() && routes.back()->disabled) return kNothingSent;
  std::optional<ProcessingMode> mode;
  for (const RouteConfig* route : routes) {
    // What more general ones say of the mode ends with one that turns the filter off.
    if (route->disabled) mode.reset();
    if (route->processing_mode.is_stated()) mode = *route->processing_mode;
  }
  return mode;
}

FilterConfig on_routes(FilterConfig filter, const std::vector<RouteConfig>& routes) {
  CallMetadata metadata;
  std::vector<const RouteConfig*> said;
  for (const RouteConfig& route : routes) {
    said.push_back(&route);
    take(route.grpc_service, filter.grpc_service);
    take(route.failure_mode_allow, filter.failure_mode_allow);
    take(route.metadata.forwarding, filter.metadata.forwarding);
    take(route.metadata.receiving, filter.metadata.receiving);
    for (const auto& header : route.grpc_initial_metadata) set(metadata, header);
  }
  for (const auto& header : metadata) set(filter.grpc_service.value.initial_metadata, header);
  filter.mode_of_route = mode_on_routes(said);
  return filter;
}

FilterSettings filter_settings(const FilterConfig& config) {
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  const nanoseconds message_timeout = config.message_timeout;
  const nanoseconds longest = config.max_message_timeout;
  const rules::HeaderRules& rules = config.mutation_rules->by_name;
  std::vector<ModeOverride> overrides;
  std::ranges::transform(config.allowed_override_modes, std::back_inserter(overrides), as_override);
  return {.message_timeout = std::chrono::duration_cast<milliseconds>(message_timeout),
          .max_message_timeout = std::chrono::duration_cast<milliseconds>(
              longest < message_timeout ? nanoseconds(0) : longest),
          .allow_all_routing = rules.allow_all_routing,
          .allow_envoy = rules.allow_envoy,
          .allow_content_length_header = config.allow_content_length_header,
          .allow_mode_override = config.allow_mode_override,
          .allowed_override_modes = std::move(overrides)};
}

}  // namespace extproc::envoy_config
