#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "chain/chain_body.h"
#include "chain/chain_call.h"
#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/request.h"

namespace extproc::chain {

using ChainLinks = std::vector<std::shared_ptr<const detail::Dispatcher>>;

/// What one request keeps for one processor of a chain.
struct LinkState {
  Request request;
  /// It answered at once: Envoy would have ended its stream.
  bool ended = false;
  /// The modes that it asked for.
  std::optional<ModeOverride> mode;

  /// Asks for other modes; a body mode that is left out stays what it was.
  void override_mode(const ModeOverride& asked);
  /// Whether it asked for no headers or trailers of the phase.
  bool declined(Phase phase) const;
};

/// The mode of a direction's body as the filter is set up, where the client said it.
std::optional<BodySendMode> configured(const Context& context, Phase phase);

/// What one request keeps for a chain; it lives as the chain's own state in its Request.
struct ChainState {
  std::vector<std::unique_ptr<LinkState>> links;
  std::unique_ptr<ChainCall> call;
  std::unique_ptr<ChainBody> request_body;
  std::unique_ptr<ChainBody> response_body;
  /// A link has asked for other modes than the filter's.
  bool modes_differ = false;

  /// Makes one state for each link, the first time.
  void begin(const ChainLinks& chain);
  /// The mode in which a filter of its own would send a link the body of a direction, where the
  /// client said how the filter is set up.
  std::optional<BodySendMode> body_mode(std::size_t link, Phase phase,
                                        const Context& context) const;
  /// Whether a link's handler is to be called for a message of the phase.
  bool calls(const ChainLinks& chain, std::size_t link, Phase phase, const Context& context) const;
};

}  // namespace extproc::chain
