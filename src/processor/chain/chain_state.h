#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/request.h"
#include "processor/chain/chain_body.h"
#include "processor/chain/chain_call.h"

namespace extproc::detail {

using ChainLinks = std::vector<std::shared_ptr<const Dispatcher>>;

/// What one request keeps for one processor of a chain.
struct LinkState {
  Request request;
  /// It answered at once: Envoy would have ended its stream.
  bool ended = false;
  /// The modes that it asked for.
  std::optional<ModeOverride> mode;

  /// Whether it asked for no messages of the phase.
  bool declined(Phase phase) const;
};

/// What one request keeps for a chain; it lives as the chain's own state in its Request.
struct ChainState {
  std::vector<std::unique_ptr<LinkState>> links;
  std::unique_ptr<ChainCall> call;
  std::unique_ptr<ChainBody> request_body;
  std::unique_ptr<ChainBody> response_body;

  /// Makes one state for each link, the first time.
  void begin(const ChainLinks& chain);
  /// Whether a link's handler is to be called for a message of the phase.
  bool calls(const ChainLinks& chain, std::size_t link, Phase phase) const {
    return !links[link]->ended && chain[link]->phases().contains(phase) &&
           !links[link]->declined(phase);
  }
};

}  // namespace extproc::detail
