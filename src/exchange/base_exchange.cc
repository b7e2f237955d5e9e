#include "exchange/base_exchange.h"

#include "base/access.h"

namespace extproc::exchange {

void BaseExchange::on_malformed() {
  reporter().message();
  reporter().malformed_message(context_);
  finish(GrpcStatus::internal, "the message is not a ProcessingRequest");
}

void BaseExchange::finish_early() {
  env_.counters.early_ends.add();
  finish(GrpcStatus::ok);
}

void BaseExchange::finish_too_large() {
  finish(GrpcStatus::resource_exhausted, "the client sends more of a body than it lets go");
}

void BaseExchange::set_paused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  paused ? control_.pause() : control_.resume();
}

}  // namespace extproc::exchange
