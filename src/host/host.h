#pragma once

#include <memory>
#include <vector>

#include "chain/link.h"
#include "exchange/answer_sink.h"
#include "exchange/control.h"
#include "exchange/environment.h"
#include "exchange/exchange.h"
#include "exchange/reporter.h"

namespace extproc::host {

/// What all exchanges of one processor, or of a chain, on one thread share. It outlives them.
class Host {
 public:
  /// `environment` must outlive it.
  explicit Host(exchange::Environment& environment);

  /// Both must outlive what is made.
  std::unique_ptr<exchange::Exchange> make_exchange(exchange::AnswerSink& sink,
                                                    exchange::Control& control);

  exchange::Environment& environment() { return environment_; }

 private:
  exchange::Environment& environment_;
  exchange::Reporter reporter_;
  std::vector<std::unique_ptr<chain::LinkSurroundings>> links_;
};

}  // namespace extproc::host
