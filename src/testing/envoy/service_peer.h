#pragma once

#include <memory>

#include "extproc/service.h"
#include "extproc/testing/envoy.h"
#include "testing/envoy/peer.h"

namespace extproc::testing::envoy {

/// A processor of the library behind its real stream. `config` and `result`, into which the log
/// goes, must outlive it.
std::unique_ptr<ProcessorPeer> make_service_peer(const Service& processor,
                                                 const EnvoyOptions& options,
                                                 const FilterConfig& config, EnvoyResult& result);

}  // namespace extproc::testing::envoy
