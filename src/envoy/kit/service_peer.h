#pragma once

#include <memory>
#include <string>
#include <vector>

#include "envoy/kit/peer.h"
#include "extproc/rule.h"
#include "extproc/service.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

using envoy_config::FilterConfig;

/// What a processor's side tells besides its answers.
struct ServiceReport {
  std::vector<Violation> violations;
  std::vector<std::string> log;
};

/// A processor of the library behind its real stream, told of the filter what `config` says. All
/// must outlive it.
std::unique_ptr<ProcessorPeer> make_service_peer(const Service& processor,
                                                 const EnvoyOptions& options,
                                                 const FilterConfig& config, ServiceReport& report);

}  // namespace extproc::testing::envoy
