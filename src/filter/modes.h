#pragma once

#include "extproc/detail/dispatcher.h"
#include "extproc/needs.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "filter/filter_config.h"

namespace extproc::filter {

/// What is sent of one direction.
struct SentOf {
  bool headers = true;
  BodySendMode body = BodySendMode::none;
  bool trailers = false;
};

/// What is sent to the processors: as the configuration says, and else what they need.
struct Modes {
  SentOf request{};
  SentOf response{};

  const SentOf& of(Phase phase) const { return is_request_phase(phase) ? request : response; }
  /// What the exchange is told of it.
  ProtocolConfiguration protocol_config(bool without_waiting) const {
    return {request.body, response.body, without_waiting};
  }
};

/// Throws Error where the configuration and the processors contradict each other.
Modes modes_of(const FilterConfig& config, const detail::Dispatcher& dispatcher,
               const Needs& needs);

}  // namespace extproc::filter
