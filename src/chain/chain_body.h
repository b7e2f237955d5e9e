#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "chain/chain_stage.h"
#include "chain/merged_mutation.h"
#include "extproc/async.h"
#include "extproc/body.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/phase.h"
#include "extproc/response.h"

namespace extproc::chain {

struct ChainState;
using ChainLinks = std::vector<std::shared_ptr<const detail::Dispatcher>>;

/// One direction's body on its way through the processors of a chain, where at least one of them
/// has a handler over the whole body: what one writes is what the next one reads.
class ChainBody final : private StageOwner {
 public:
  /// Both must outlive it; `outer` is the call of the chain's own handler.
  ChainBody(const ChainLinks& links, ChainState& state, const detail::Invocation& outer);

  /// The chain's handler over the body.
  Task<> run();

 private:
  class Settled;

  const detail::Invocation& outer() const override { return outer_; }
  void forward(std::size_t stage, const HttpBody& chunk) override;
  void forward_end(std::size_t stage) override;
  void take_answer(std::size_t link, BodyResponse& response) override;
  void take_extras(const ResponseExtras* extras) override;
  void stop(std::size_t link, StageEnd end) override;
  void on_stage_changed() override;

  void cancel_stages();
  void feed(const HttpBody& chunk);
  bool idle() const;
  bool done() const;
  Task<> answer_at_once();
  void finish_response();

  const ChainLinks& links_;
  ChainState& state_;
  detail::Invocation outer_;
  std::vector<std::unique_ptr<ChainStage>> stages_;
  MergedMutation changes_;
  bool clear_route_cache_ = false;
  std::optional<StageEnd> end_;
  std::size_t end_link_ = 0;
  std::coroutine_handle<> waiting_;
  bool waits_for_done_ = false;
  bool feeding_ = false;
};

}  // namespace extproc::chain
