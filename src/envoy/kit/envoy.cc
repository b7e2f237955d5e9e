#include "extproc/testing/envoy.h"

#include <algorithm>
#include <utility>

#include "envoy/kit/filter_yaml.h"
#include "envoy/kit/route.h"
#include "envoy/kit/service_peer.h"
#include "envoy/kit/simulation.h"
#include "envoy/unmet_needs.h"

namespace extproc::testing {
namespace {

const std::string* find(const HeaderList& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

std::vector<std::string> unmet(const Service& processor, const envoy_config::FilterConfig& config) {
  constexpr std::string_view kFilter = "the filter";
  const Needs needs = processor.needs();
  std::vector<std::string> all;
  for (const auto& problems :
       {envoy_config::unmet_needs(needs, config, processor.name(), kFilter, {}),
        envoy_config::unmet_modes(needs, processor.handled_phases(), config, processor.name(),
                                  kFilter)}) {
    for (const auto& problem : problems) all.push_back(problem.what + ": " + problem.mend);
  }
  return all;
}

}  // namespace

std::uint64_t EnvoyResult::statistic(std::string_view name) const {
  const auto found = statistics.find(std::string(name));
  return found == statistics.end() ? 0 : found->second;
}

const std::string* EnvoyResult::upstream_header(std::string_view name) const {
  return find(upstream.headers, name);
}

const std::string* EnvoyResult::caller_header(std::string_view name) const {
  return find(caller.headers, name);
}

Envoy::Envoy(std::string_view filter, EnvoyOptions options)
    : config_(
          std::make_unique<const envoy_config::FilterConfig>(envoy::read_filter_config(filter))),
      options_(std::move(options)) {}
Envoy::~Envoy() = default;
Envoy::Envoy(Envoy&&) noexcept = default;
Envoy& Envoy::operator=(Envoy&&) noexcept = default;

EnvoyResult Envoy::run(const Service& processor, const Exchange& exchange) const {
  const auto config = envoy::on_its_route(*config_, exchange);
  envoy::ServiceReport report;
  const auto peer = envoy::make_service_peer(processor, options_, config, report);
  EnvoyResult result = envoy::Simulation(config, options_, exchange, *peer).run();
  result.unmet_needs = unmet(processor, config);
  result.violations = std::move(report.violations);
  result.log = std::move(report.log);
  return result;
}

}  // namespace extproc::testing
