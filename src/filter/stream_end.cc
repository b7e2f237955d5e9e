// Stream: how it ends, and what becomes of it where something fails.
#include <boost/asio/post.hpp>
#include <utility>

#include "filter/envoy_log.h"
#include "filter/stream.h"

namespace extproc::filter {
namespace {

std::string error_details(GrpcStatus status) {
  return "extproc_error_" + std::string(to_string(status));
}

}  // namespace

void Stream::finish(GrpcStatus status, std::string_view /*message*/) {
  if (end_ != End::none) return;
  // As with ext_proc the caller is not to take it for the whole.
  if (status != GrpcStatus::ok && std::exchange(reply_open_, false))
    pieces_.push_back(broken_off(status));
  if (status == GrpcStatus::ok || replied_ || reply_ || !pieces_.empty() || observes() ||
      in_force_->config().failure_mode_allow) {
    end_ = End::passes;
  } else {
    refuse(status);
  }
  touch();
}

void Stream::refuse(GrpcStatus status) {
  end_ = End::fails;
  reply_ = ImmediateResponse{.status = in_force_->config().status_on_error,
                             .details = error_details(status)};
}

Stream::Piece Stream::broken_off(GrpcStatus status) {
  return {.kind = Piece::Kind::reset, .bytes = error_details(status)};
}

bool Stream::on_failure(std::string_view what) {
  log_to_envoy(LogLevel::error, std::string("the filter failed: ") + std::string(what));
  request_.telling_headers = response_.telling_headers = false;
  if (destroyed_) return false;
  if (exchange_ == nullptr) {
    // It has not begun, and does not.
    off_ = true;
    const FilterConfig& config = (in_force_ != nullptr ? in_force_ : filter_)->config();
    if (!config.failure_mode_allow)
      envoy_.reply(
          {.status = config.status_on_error, .details = error_details(GrpcStatus::internal)});
    return config.failure_mode_allow;
  }
  // Half of what was to be done to the message may be done.
  const bool is_whole = !reply_open_ && pieces_.empty();
  reply_open_ = false;
  pieces_.clear();
  if (!replied_) {
    refuse(GrpcStatus::internal);
  } else if (!is_whole) {
    pieces_.push_back(broken_off(GrpcStatus::internal));
  }
  do_asked();
  for (Way* way : {&request_, &response_}) end_body_hook(*way);
  return false;
}

// The exchange is over with the HTTP stream.
void Stream::close() {
  if (closed_) return;
  closed_ = true;
  if (timer_ != nullptr) timer_->cancel();
  alive_.reset();
  if (exchange_ == nullptr) {
    released_ = true;
    return;
  }
  if (!observed_.empty()) kept(-static_cast<std::ptrdiff_t>(observed_.bytes()));
  observed_.clear();
  for (Way* way : {&request_, &response_}) {
    way->untold = false;
    while (!way->unanswered.empty()) pop_unanswered(*way);
    take_out(*way);
  }
  const bool whole = response_.ended || response_.trailers_came || replied_;
  if (whole && !paused_) exchange_->on_end();
  released_ = over_limit_
                  ? exchange_->on_closed(GrpcStatus::resource_exhausted, false, "memory_bytes")
                  : exchange_->on_closed(whole ? GrpcStatus::ok : GrpcStatus::cancelled, !whole);
  if (released_) rest();
}

// No handler of it runs any more.
void Stream::rest() {
  if (std::exchange(outlives_, false)) --worker_->outlived().streams_open;
  if (worker_->loop() != nullptr) Background::instance().end_use();
}

// The last of its calls: the exchange may be destroyed inside of it.
void Stream::released() {
  released_ = true;
  rest();
  if (!destroyed_ || turns_ > 0) return;
  worker_->loop()->forget(*this);
  // Its worker may be in the middle of something that it tells.
  boost::asio::post(Background::instance().io(), [filter = in_force_] {});
  delete this;
}

}  // namespace extproc::filter
