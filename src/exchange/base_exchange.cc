#include "exchange/base_exchange.h"

#include <string>

#include "base/access.h"

namespace extproc::exchange {

void BaseExchange::on_malformed() {
  reporter().no_message();
  end_malformed("is not a ProcessingRequest");
}

void BaseExchange::end_malformed(std::string_view what) {
  reporter().malformed_message(request_, context_, what);
  finish(GrpcStatus::internal, "the message " + std::string(what));
}

// Of a chain its processors look.
void BaseExchange::look_for_bodies() {
  if (!directions().config() || directions().overridden() || !env_.links.empty()) return;
  for (const Phase phase : {Phase::request_body, Phase::response_body}) {
    if (!env_.dispatcher.phases().contains(phase)) continue;
    if (directions().of(phase).mode() != BodySendMode::none) continue;
    env_.looks_for_bodies = false;
    reporter().not_sent(request_, phase);
  }
}

void BaseExchange::finish_early() {
  env_.counters.early_ends.add();
  finish(GrpcStatus::ok);
}

void BaseExchange::finish_over_limit(std::string_view why) {
  if (finished_) return;
  reporter().over_limit(request_, context_, why);
  finish(GrpcStatus::resource_exhausted, why);
}

void BaseExchange::finish_too_large() {
  finish_over_limit("the client sends more of a body than it lets go");
}

void BaseExchange::set_paused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  paused ? control_.pause() : control_.resume();
}

}  // namespace extproc::exchange
