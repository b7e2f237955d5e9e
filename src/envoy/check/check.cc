#include "envoy/check/check.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "envoy/check/check_context.h"
#include "envoy/unmet_needs.h"
#include "envoy/version.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

std::string names_of(const FilterChain& chain) {
  std::string names;
  for (const Filter& filter : chain.filters) names += (names.empty() ? "" : ", ") + filter.name;
  return names;
}

template <class Is>
FilterChain selected(const FilterChain& chain, Is is) {
  FilterChain all{.filters = {}, .manager = chain.manager};
  std::ranges::copy_if(chain.filters, std::back_inserter(all.filters), is);
  return all;
}

const std::string& cluster_of(const Filter& filter) {
  return filter.config.grpc_service->cluster_name;
}

bool share_a_cluster(const FilterChain& chain) {
  const std::vector<Filter>& filters = chain.filters;
  return std::ranges::all_of(filters, [&](const Filter& filter) {
    return !filter.in_process && cluster_of(filter) == cluster_of(filters.front());
  });
}

/// The needs of each filter of a chain, in order.
std::vector<Needs> assign(const FilterChain& chain, const std::vector<Needs>& processors,
                          bool separate) {
  const std::size_t size = chain.filters.size();
  if (size == processors.size()) return processors;
  if (processors.empty())
    throw Error("the processors of the ext_proc filters in it are not named (" + names_of(chain) +
                "): name them with -s");
  if (!separate && (size == 1 || share_a_cluster(chain))) {
    return std::vector<Needs>(size, together(processors));
  }
  throw Error("it has " + std::to_string(size) + " ext_proc filters (" + names_of(chain) +
              ") for " + std::to_string(processors.size()) +
              (processors.size() == 1 ? " processor" : " processors") +
              ": name the filter with --filter, or give -s one processor for each, in their order");
}

/// What the processor needs where it runs inside Envoy: nothing there times a message, refuses
/// metadata, or must allow an override; and it is told what it needs to be told.
Needs inside(Needs needs) {
  needs.in_process = true;
  needs.stated.metadata_set.clear();
  needs.stated.metadata_read.clear();
  needs.stated.request_attributes.clear();
  needs.stated.response_attributes.clear();
  needs.stated.request_headers_wait_for_body = needs.stated.response_headers_wait_for_body = false;
  needs.stated.message_timeout.reset();
  needs.stated.max_message_timeout.reset();
  needs.stated.mode_override = needs.filter.allow_mode_override = false;
  return needs;
}

/// What is not stated there is as the processor needs it.
StatedMode filled_in(StatedMode mode, const ProcessingMode& needed) {
  if (!mode.place_of(Phase::request_headers)) mode.request_headers = needed.request_headers;
  if (!mode.place_of(Phase::response_headers)) mode.response_headers = needed.response_headers;
  if (!mode.place_of(Phase::request_body)) mode.request_body = needed.request_body;
  if (!mode.place_of(Phase::response_body)) mode.response_body = needed.response_body;
  if (!mode.place_of(Phase::request_trailers)) mode.request_trailers = needed.request_trailers;
  if (!mode.place_of(Phase::response_trailers)) mode.response_trailers = needed.response_trailers;
  return mode;
}

class Checker {
 public:
  Checker(const Configuration& configuration, const CheckScope& scope)
      : configuration_(configuration), scope_(scope) {}

  void chain(const FilterChain& chain, const std::vector<Needs>& processors) {
    const auto is_asked = [&](const Filter& one) { return !names_its_own(one); };
    const FilterChain asked = selected(chain, is_asked);
    const auto assigned =
        asked.filters.empty() ? std::vector<Needs>() : assign(asked, processors, scope_.separate);
    auto next = assigned.begin();
    for (const Filter& one : chain.filters) {
      auto needs = is_asked(one) ? std::optional(*next++) : made_inside(one);
      if (!needs) {
        refused(one.config, one.problems);
        refused_.insert(one.name);
        continue;
      }
      needs->failure_mode_allow = one.config.failure_mode_allow;
      filter(one, *needs, chain.manager);
      by_name_.emplace(one.name, std::pair(one, *needs));
    }
    shared_clusters(chain);
  }

  /// After all filters.
  void route_overrides(const std::optional<std::string>& only) {
    for (const RouteOverride& override : configuration_.overrides) {
      findings_.add(override.problems);
      const auto found = by_name_.find(override.filter);
      if (found != by_name_.end()) {
        route_override(override, found->second.first, found->second.second);
      } else if (!only && !by_name_.empty() && !refused_.contains(override.filter)) {
        findings_.error(override.key, "override-of-no-filter",
                        "no ext_proc filter has the name " + override.filter +
                            ", so this override is never used",
                        "use the name of a filter: " + filter_names());
      }
    }
  }

  std::vector<Finding> take() && { return std::move(findings_).take(); }

 private:
  bool names_its_own(const Filter& filter) const { return filter.in_process && scope_.inside; }

  /// Nothing where Envoy would refuse them.
  std::optional<Needs> made_inside(const Filter& filter) {
    if (!filter.inside) return std::nullopt;
    expect_names(filter, "the filter " + filter.name);
    return made_inside(*filter.inside, filter.config_key, "the filter " + filter.name);
  }

  std::optional<Needs> made_inside(const InsideProcessors& inside, Place place,
                                   const std::string& name) {
    try {
      return scope_.inside(inside);
    } catch (const Error& error) {
      if (!is_of_filter_config(error.what())) throw Error(name + ": " + error.what());
      findings_.add({refused_by_filter(place, error.what())});
      return std::nullopt;
    }
  }

  void expect_names(const Filter& filter, const std::string& name) {
    if (scope_.names.empty()) return;
    for (const std::string& processor : filter.processors) {
      const auto is_it = [&, linked = "." + processor](const std::string& expected) {
        return expected == processor || expected.ends_with(linked);
      };
      if (std::ranges::any_of(scope_.names, is_it)) continue;
      std::string what = name;
      what.append(" runs ").append(processor).append(", which -s does not name");
      findings_.warning(filter.config_key, "another-processor", std::move(what),
                        "name it with -s, or leave -s out: the filter names its processors itself");
    }
  }

  /// `manager`: null for a route.
  void in_process(const Filter& filter, const Needs& asked, const std::string& name,
                  const Manager* manager, bool is_endless = false) {
    const Needs needs = inside(asked);
    const Setting<StatedMode>& stated = filter.config.processing_mode;
    StatedMode mode = filled_in(*stated, needed_mode(needs));
    refuse_full_duplex(mode);
    // Routes that say nothing of the mode have this one.
    Filter filled = filter;
    filled.config.processing_mode.value = mode;
    const FilterUnderCheck checked{.filter = filled,
                                   .needs = needs,
                                   .mode = mode,
                                   .where = stated.is_stated() ? stated.key : filter.config_key,
                                   .name = name,
                                   .is_route = manager == nullptr,
                                   .is_endless = is_endless};
    check_mode(checked, findings_);
    check_filter(checked, configuration_.is_dump, findings_);
    check_content_length(checked, findings_);
    if (manager != nullptr) check_requests(checked, *manager, findings_);
    findings_.add(unmet_needs(needs.stated, filter.config, needs.name, name, filter.config_key));
  }

  /// A route has a whole filter_config, which may be of other processors than those asked about.
  void in_process_route(const RouteOverride& override, const Filter& filter, const Needs& needs) {
    const InProcessRoute& route = *override.in_process;
    if (route.disabled) return;
    if (!filter.in_process)
      return findings_.error(
          override.key, "override-of-another-filter",
          "the filter " + filter.name + " is not inside Envoy, so " + std::string(kIsRefused),
          "use an ExtProcPerRoute");
    const std::string name = "the filter " + filter.name + " on this route";
    std::optional<Needs> its_needs = needs;
    if (names_its_own(filter)) {
      if (!route.inside) return refused(route.config, {});
      its_needs = made_inside(*route.inside, override.key, name);
      if (!its_needs) return;
    } else if (route.processors != filter.processors) {
      StatedMode mode = *route.config.processing_mode;
      return refuse_full_duplex(mode);
    }
    Filter on_route = filter;
    on_route.config = route.config;
    on_route.config_key = override.key;
    its_needs->failure_mode_allow = route.config.failure_mode_allow;
    in_process(on_route, *its_needs, name, nullptr, override.is_endless);
  }

  /// What is told of a filter that Envoy refuses.
  void refused(const FilterConfig& config, const std::vector<Problem>& problems) {
    findings_.add(problems);
    StatedMode mode = *config.processing_mode;
    refuse_full_duplex(mode);
  }

  /// And goes on as if that were STREAMED.
  void refuse_full_duplex(StatedMode& mode) {
    for (const auto& [body, is] : {std::pair{Phase::request_body, &mode.request_body},
                                   {Phase::response_body, &mode.response_body}}) {
      if (*is != BodySendMode::full_duplex_streamed) continue;
      findings_.error(mode.place_of(body), "full-duplex-in-process",
                      "FULL_DUPLEX_STREAMED is beyond what Envoy's dynamic modules can do: Envoy "
                      "refuses the configuration",
                      "set " + std::string(mode_field(body)) +
                          ": STREAMED, in which handlers over whole bodies work as well");
      *is = BodySendMode::streamed;
    }
  }

  void filter(const Filter& filter, const Needs& needs, const Manager& manager) {
    findings_.add(filter.problems);
    if (filter.in_process) return in_process(filter, needs, "the filter " + filter.name, &manager);
    const Setting<StatedMode>& mode = filter.config.processing_mode;
    const FilterUnderCheck checked{filter, needs, *mode,
                                   mode.is_stated() ? mode.key : filter.config_key,
                                   "the filter " + filter.name};
    check_mode(checked, findings_);
    check_mode_override(checked, findings_);
    check_filter(checked, configuration_.is_dump, findings_);
    check_content_length(checked, findings_);
    check_times(checked, findings_);
    check_requests(checked, manager, findings_);
    check_buffers(checked, manager, scope_.message_bytes, findings_);
    check_service(configuration_, filter.config.grpc_service, checked, scope_.tls, findings_);
    findings_.add(
        unmet_needs(needs.stated, filter.config, needs.name, checked.name, filter.config_key));
  }

  void route_override(const RouteOverride& override, const Filter& filter, const Needs& needs) {
    if (override.in_process) return in_process_route(override, filter, needs);
    if (filter.in_process)
      return findings_.error(
          override.key, "override-of-another-filter",
          "the filter " + filter.name + " is inside Envoy, so " + std::string(kIsRefused),
          "use a DynamicModuleFilterPerRoute");
    const std::string name = "the filter " + filter.name + " on this route";
    const Setting<StatedMode>& mode = override.config.processing_mode;
    const FilterUnderCheck checked{filter, needs, *mode, mode.key, name, true, override.is_endless};
    if (mode.is_stated()) {
      check_mode(checked, findings_);
      check_content_length(checked, findings_);
    }
    check_service(configuration_, override.config.grpc_service, checked, scope_.tls, findings_);
    for (const auto& [place, field] :
         {std::pair{override.config.request_attributes, "request_attributes"},
          {override.config.response_attributes, "response_attributes"}}) {
      if (!place) continue;
      findings_.warning(place, "override-ignored",
                        versioned_envoy() + " reads no " + field + " on a route",
                        "move it to the filter's own configuration");
    }
  }

  void shared_clusters(const FilterChain& chain) {
    std::map<std::string, std::string> users;
    for (const Filter& filter : chain.filters) {
      const Setting<std::string>& cluster = filter.config.grpc_service->cluster_name;
      if (!cluster.is_stated()) continue;
      const auto [user, is_new] = users.emplace(cluster, filter.name);
      if (is_new) continue;
      findings_.warning(cluster.place, "same-cluster-twice",
                        "the filters " + user->second + " and " + filter.name +
                            " ask the same processor, with a gRPC stream each for every request",
                        "serve one chain (extproc serve -s a,b) behind one filter");
    }
  }

  std::string filter_names() const {
    std::string names;
    for (const auto& [name, filter] : by_name_) names += (names.empty() ? "" : ", ") + name;
    return names;
  }

  const Configuration& configuration_;
  const CheckScope& scope_;
  std::map<std::string, std::pair<Filter, Needs>> by_name_;
  /// What Envoy refuses is told of these, and nothing of their routes.
  std::set<std::string> refused_;
  Findings findings_;
};

/// Nothing else is to be trusted then.
std::vector<Finding> refused(const Configuration& configuration) {
  Findings findings;
  findings.add(configuration.refused);
  return std::move(findings).take();
}

}  // namespace

void Findings::add(Severity severity, Place where, std::string_view rule, std::string what,
                   std::string mend) {
  all_.push_back(
      {where.line, where.column, severity, std::string(rule), std::move(what), std::move(mend)});
}

void Findings::add(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems)
    error(problem.place, problem.rule, problem.what, problem.mend);
}

std::vector<Finding> Findings::take() && {
  // A stable order for findings of one line, and an alias is checked once for each use.
  const auto key = [](const Finding& finding) {
    return std::tie(finding.line, finding.column, finding.rule, finding.what);
  };
  std::ranges::sort(all_, {}, key);
  all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
  return std::move(all_);
}

std::vector<Finding> check(std::string_view yaml, const std::vector<Needs>& processors,
                           const CheckScope& scope) {
  const auto& filter = scope.filter;
  const Configuration configuration = read_configuration(std::string(yaml));
  if (!configuration.refused.empty()) return refused(configuration);
  Checker checker(configuration, scope);
  std::set<std::string> names;
  bool found = false;
  for (const FilterChain& all : configuration.chains) {
    for (const Filter& one : all.filters) names.insert(one.name);
    const FilterChain chain =
        selected(all, [&](const Filter& one) { return !filter || one.name == *filter; });
    if (chain.filters.empty()) continue;
    found = true;
    checker.chain(chain, processors);
  }
  if (!found && filter && !names.empty()) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    throw Error("no ext_proc filter is called " + *filter + "; there are: " + list);
  }
  if (!found && yaml.find("kind: EnvoyExtensionPolicy") != std::string_view::npos) {
    throw Error(
        "an EnvoyExtensionPolicy says nothing that could be checked here: check the configuration "
        "that the gateway makes of it (egctl config envoy-proxy all)");
  }
  if (!found) {
    throw Error(
        "there is no ext_proc filter in it (a typed_config of type "
        "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor): `extproc config` writes "
        "one");
  }
  checker.route_overrides(filter);
  return std::move(checker).take();
}

}  // namespace extproc::envoy_config
