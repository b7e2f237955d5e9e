#include "exchange/base_exchange.h"

#include "base/access.h"

namespace extproc::exchange {

void BaseExchange::start() {
  directions().begin();
  status_ = GrpcStatus::ok;
  first_message_ = true;
  windows_ = replied_ = paused_ = half_closed_ = false;
  finished_ = closing_ = closed_ = cancelled_ = false;
  if (measures()) stream_start_ = env_.settings.now();
  reporter().stream_begin(request_);
}

void BaseExchange::on_malformed() {
  reporter().message();
  reporter().malformed_message(context_);
  finish(GrpcStatus::internal, "the message is not a ProcessingRequest");
}

void BaseExchange::finish(GrpcStatus status, std::string_view message) {
  if (finished_) return;
  finished_ = true;
  status_ = status;
  on_finished();
  control_.finish(status, message);
}

void BaseExchange::note_closed(GrpcStatus status, bool cancelled) {
  closed_ = true;
  cancelled_ = cancelled;
  if (!finished_) status_ = status;
}

void BaseExchange::complete_exchange() {
  tell_kept(0);
  const std::chrono::nanoseconds spent =
      measures() ? env_.settings.now() - stream_start_ : std::chrono::nanoseconds(0);
  reporter().stream_end(request_, status_, cancelled_, spent);
  control_.completed({.status = status_,
                      .cancelled = cancelled_,
                      .replied = replied_,
                      .open = spent,
                      .in_handlers = request_.overhead()});
  detail::Access::reset(request_);
}

bool BaseExchange::nothing_follows() const {
  if (!env_.settings.early_end || observes() || !directions().config()) return false;
  if (directions().full_duplex()) return false;
  PhaseSet handled = env_.dispatcher.phases();
  if (!env_.settings.chain_header.empty()) handled.insert(Phase::response_headers);
  return !directions().may_come(handled);
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

void BaseExchange::tell_kept(std::size_t bytes) {
  if (bytes == kept_) return;
  control_.kept(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(kept_));
  kept_ = bytes;
}

}  // namespace extproc::exchange
