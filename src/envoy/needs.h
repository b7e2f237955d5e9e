#pragma once

#include <optional>
#include <string>
#include <vector>

#include "envoy/modes.h"
#include "extproc/filter_settings.h"
#include "extproc/phase.h"

namespace extproc::envoy_config {

/// What a processor, or a chain of them, needs of its filter.
struct Needs {
  /// For people: "TrivialExtProcService", or the names of a chain.
  std::string name{};
  PhaseSet handled{};
  /// The header that processors add their names to, in response_headers; empty: none.
  std::string chain_header{};
  /// How the handlers expect a body. Unset: BUFFERED is written, and a check only warns of another.
  std::optional<BodySendMode> request_body_mode{};
  std::optional<BodySendMode> response_body_mode{};
  /// Handlers of later phases ask for the request's method, path or id, which come with its
  /// headers.
  bool request_data = true;
  /// The processor answers with mode_override.
  bool mode_override = false;
  /// What its server is told of the filter.
  FilterSettings filter{};
};

/// What one filter in front of several processors needs.
Needs together(const std::vector<Needs>& processors);

/// The least that serves the needs; it leaves nothing to Envoy.
ProcessingMode needed_mode(const Needs& needs);

/// Throws Error where the needs contradict each other, so that no mode could serve them.
void require_consistent(const Needs& needs);

}  // namespace extproc::envoy_config
