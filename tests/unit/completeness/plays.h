#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "completeness/rows.h"
#include "extproc/processing_mode.h"
#include "extproc/service.h"
#include "extproc/testing/envoy.h"

namespace extproc::completeness {

struct Modes {
  BodySendMode request;
  BodySendMode response;
};

/// The kit's filter of these modes, which allows mode overrides and the metadata of the rows; its
/// mutation_rules are the default.
const testing::Envoy& envoy(Modes modes);

/// What is sent: headers and bodies that each row has something to change in; with trailers, or
/// with content-length.
testing::Exchange exchange(bool trailers);

/// What came of it: all that upstream, caller and the other filters can see.
struct Effect {
  std::string upstream{};
  std::string caller{};
  bool route_cache_cleared = false;
  /// Of all answers: the namespaces that were emitted, and the drains that were asked for.
  std::set<std::string> extras{};
  std::set<std::pair<Rule, Phase>> violations{};

  std::string text() const;
};

EnvoyResult alone(const Service& processor, Modes modes, bool trailers);
Effect effect(const EnvoyResult& result);

/// A filter each, one after another; `first` is nearer to the caller. Those that act in one
/// direction alone are for a reply of the other filter, which is not seen in the other direction.
struct Filters {
  Service first;
  Service first_in_request;
  Service second;
  Service second_in_response;
};
Effect by_filters(const Filters& filters, Modes modes, bool trailers);
Effect by_chain(const Service& first, const Service& second, Modes modes, bool trailers);

}  // namespace extproc::completeness
