#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/check/check.h"
#include "envoy/check/configuration.h"
#include "envoy/filter_config.h"

namespace extproc::envoy_config {

/// Where findings go.
class Findings {
 public:
  void error(Place where, std::string_view rule, std::string what, std::string mend) {
    add(Severity::error, where, rule, std::move(what), std::move(mend));
  }
  void warning(Place where, std::string_view rule, std::string what, std::string mend) {
    add(Severity::warning, where, rule, std::move(what), std::move(mend));
  }
  void advice(Place where, std::string_view rule, std::string what, std::string mend) {
    add(Severity::advice, where, rule, std::move(what), std::move(mend));
  }
  void add(Severity severity, Place where, std::string_view rule, std::string what,
           std::string mend);
  void add(const std::vector<Problem>& problems);
  /// In the order of their lines, each once.
  std::vector<Finding> take() &&;

 private:
  std::vector<Finding> all_;
};

/// What is checked in one place: a filter, as it is or as a route overrides it.
struct FilterUnderCheck {
  const Filter& filter;
  const Needs& needs;
  /// The filter's, or the route's.
  const StatedMode& mode;
  /// Where to point at when a field is missing: the key of the mode, else of the filter.
  Place where;
  /// "the filter trivial", "the filter trivial on a route".
  std::string name;
  bool is_route = false;
  /// On a route that may send no bodies on purpose.
  bool is_endless = false;
};

void check_mode(const FilterUnderCheck& checked, Findings& findings);
void check_mode_override(const FilterUnderCheck& checked, Findings& findings);
/// What concerns the filter as a whole: failures, header rules, and answers that are ignored. A
/// dump of Envoy's leaves out what has its default.
void check_filter(const FilterUnderCheck& checked, bool is_dump, Findings& findings);
/// Whether a content-length can be kept that does not fit, and whether the server knows of it.
void check_content_length(const FilterUnderCheck& checked, Findings& findings);
/// The overrides that a filter allows beside those that the server is told of.
void check_allowed_modes(const FilterUnderCheck& checked, Findings& findings);
void check_times(const FilterUnderCheck& checked, Findings& findings);
/// Requests that its connection manager lets through to it, on their routes.
void check_requests(const FilterUnderCheck& checked, const Manager& manager, Findings& findings);
/// What of a body gets to it, and is too much for the processor; `message_bytes` is what that
/// accepts.
void check_buffers(const FilterUnderCheck& checked, const Manager& manager,
                   std::size_t message_bytes, Findings& findings);
/// A grpc_service, and the cluster that it names. `tls`: whether the server speaks it.
void check_service(const Configuration& configuration, const GrpcService& service,
                   const FilterUnderCheck& checked, std::optional<bool> tls, Findings& findings);

/// A cluster, as findings name it and where it stands.
struct ClusterUnderCheck {
  const YAML::Node& cluster;
  Place where;
  std::string name;
};

/// Whether the cluster speaks TLS as the server does, and whom it trusts.
void check_tls(const ClusterUnderCheck& checked, std::optional<bool> tls, Findings& findings);

}  // namespace extproc::envoy_config
