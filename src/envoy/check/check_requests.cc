#include <algorithm>
#include <string>
#include <vector>

#include "envoy/check/check_context.h"

namespace extproc::envoy_config {
namespace {

/// "request_body as BUFFERED": the bodies that Envoy holds until they have ended.
std::string held_bodies(const ProcessingMode& mode) {
  std::string held;
  for (const Phase body : {Phase::request_body, Phase::response_body}) {
    if (!is_held(mode.body(body))) continue;
    held += (held.empty() ? "" : " and ") + std::string(to_string(body)) + " as " +
            std::string(to_string(mode.body(body)));
  }
  return held;
}

/// What the processor asks for itself is not what stands in the configuration.
bool may_choose(const FilterUnderCheck& checked) {
  return checked.needs.overrides_mode() && checked.filter.config.allow_mode_override;
}

/// The upgrades of a route: what it says of one of a kind counts, else what its manager says.
std::vector<Upgrade> upgrades_of(const Manager& manager, const Route& route) {
  std::vector<Upgrade> all = route.upgrades;
  for (const Upgrade& upgrade : manager.upgrades) {
    const bool is_said = std::ranges::any_of(
        route.upgrades, [&](const Upgrade& own) { return own.type == upgrade.type; });
    if (is_said && !upgrade.has_filters) continue;
    if (is_said) std::erase_if(all, [&](const Upgrade& own) { return own.type == upgrade.type; });
    all.push_back(upgrade);
  }
  return all;
}

constexpr const char* kSendNoBodies =
    "send no bodies of them: override_mode() in the answer to their headers, with "
    "allow_mode_override, or a route of their own with a processing_mode for this filter";

void check_upgrades(const FilterUnderCheck& checked, const Manager& manager, const Route& route,
                    const std::string& held, Findings& findings) {
  for (const Upgrade& upgrade : upgrades_of(manager, route)) {
    if (!upgrade.enabled || upgrade.has_filters) continue;
    if (upgrade.is_connect() != static_cast<bool>(route.connect)) continue;
    findings.warning(upgrade.place, "upgrade-buffered",
                     checked.name + " sends " + held + ", and a request that upgrades (" +
                         upgrade.type +
                         ") has no end: Envoy waits for it, so that the caller hangs",
                     kSendNoBodies);
  }
}

void check_grpc(const FilterUnderCheck& checked, const Route& route, const std::string& held,
                Findings& findings) {
  if (!route.grpc) return;
  findings.warning(route.grpc, "grpc-buffered",
                   checked.name + " sends " + held +
                       ", and a gRPC stream that waits for the other side hangs; messages of one "
                       "side come all at once, at its end",
                   kSendNoBodies + std::string("; a body mode that streams lets them pass too"));
}

void check_timeout(const FilterUnderCheck& checked, const Route& route, const ProcessingMode& mode,
                   Findings& findings) {
  if (route.timeout || !is_streamed(mode.response_body)) return;
  if (!checked.needs.handled.contains(Phase::response_body)) return;
  findings.advice(route.forwards, "route-timeout",
                  "the route has no timeout of its own: Envoy cuts a response, which " +
                      checked.name + " streams, after 15 s",
                  "set timeout: 0s in it, and a stream that stands still is ended by "
                  "stream_idle_timeout");
}

}  // namespace

void check_requests(const FilterUnderCheck& checked, const Manager& manager, Findings& findings) {
  if (checked.filter.config.observability_mode) return;
  std::vector<Route> routes = manager.routes;
  // Those of an RDS are unknown; then each may be one for all.
  if (routes.empty()) {
    routes.push_back({.forwards = checked.where});
    routes.push_back({.forwards = checked.where, .connect = checked.where});
  }
  for (const Route& route : routes) {
    if (!route.forwards) continue;
    const ProcessingMode mode = route.mode_of(checked.filter.name, checked.filter.config);
    if (!manager.routes.empty()) check_timeout(checked, route, mode, findings);
    const std::string held = held_bodies(mode);
    if (held.empty() || may_choose(checked)) continue;
    check_upgrades(checked, manager, route, held, findings);
    check_grpc(checked, route, held, findings);
  }
}

}  // namespace extproc::envoy_config
