#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/access.h"
#include "exchange/answer_checker.h"
#include "exchange/environment.h"
#include "exchange/open_exchange.h"
#include "exchange/reporter.h"
#include "extproc/completed.h"
#include "extproc/context.h"
#include "extproc/host.h"
#include "extproc/request.h"
#include "extproc/status.h"

namespace extproc::exchange {

/// What the exchange of one processor and that of a chain have alike: how an exchange begins and
/// ends, and what is told of that.
class BaseExchange : public host::Exchange {
 public:
  bool expects_first() const final { return first_message_; }
  void on_malformed() final;

  /// What it is at. On its thread.
  OpenExchange describe() const;
  /// No handler is in the middle of something, with what it was told still in hand.
  virtual bool reads_nothing() const = 0;
  /// Null where nobody traces, and before it is known.
  const TraceContext* trace() const { return reporter().trace_of(request_); }
  /// How it ends, if its host has it closed with `status`.
  GrpcStatus ends_with(GrpcStatus status) const { return finished_ ? status_ : status; }
  /// When it began; nothing where its host does not measure.
  std::optional<Clock::time_point> begun() const {
    return measures() ? std::optional(stream_start_) : std::nullopt;
  }

 protected:
  /// All must outlive it.
  BaseExchange(Reporter& reporter, host::AnswerSink& sink, host::Control& control)
      : env_(reporter.environment()),
        checker_(reporter, request_, context_, sink),
        control_(control) {}

  void start() {
    directions().begin();
    status_ = GrpcStatus::ok;
    first_message_ = true;
    windows_ = replied_ = paused_ = half_closed_ = false;
    finished_ = closing_ = closed_ = cancelled_ = owed_ = false;
    if (env_.link == nullptr) watched_ = reporter().stream_begin(request_, context_);
    if (measures()) stream_start_ = now();
  }
  /// Ends the exchange, once.
  void finish(GrpcStatus status, std::string_view message = {}) {
    if (finished_) return;
    finished_ = true;
    status_ = status;
    on_finished();
    control_.finish(status, message);
  }
  virtual void on_finished() = 0;
  /// Where a handler runs: which, and what it waits for.
  virtual void describe_handler(OpenExchange& open) const = 0;
  Phase last_phase() const;
  /// `owed`: messages have no answer yet.
  void note_closed(GrpcStatus status, bool cancelled, bool owed, std::string_view why) {
    closed_ = true;
    cancelled_ = cancelled;
    owed_ = cancelled && owed && !finished_ && !observes();
    // A host to which its answers were too much says so only now.
    const bool over_limit = status == GrpcStatus::resource_exhausted &&
                            !(finished_ && status_ == GrpcStatus::resource_exhausted);
    if (!finished_ || over_limit) status_ = status;
    if (over_limit && env_.link == nullptr) reporter().over_limit(request_, context_, why);
  }
  /// As of now, when no handler runs any more.
  Completed completed() const {
    const std::chrono::nanoseconds spent =
        measures() ? now() - stream_start_ : std::chrono::nanoseconds(0);
    return {.status = status_,
            .cancelled = cancelled_,
            .replied = replied_,
            .open = spent,
            .in_handlers = request_.overhead()};
  }
  void complete_exchange(const Completed& how) {
    if (env_.looks_for_bodies) look_for_bodies();
    reporter().stream_end(request_, context_, watched_, how, owed_);
    detail::Access::end(context_);
    tell_kept(0);
    control_.completed(how);
    detail::Access::reset(request_);
  }

  /// No message may follow that a handler would change something of, as far as the filter's set-up
  /// tells.
  bool nothing_follows() const {
    if (!env_.settings.early_end || observes() || !directions().config()) return false;
    if (directions().full_duplex()) return false;
    PhaseSet handled = env_.dispatcher.phases();
    // What the response says of its body may have to be mended.
    if (!env_.settings.chain_header.empty() ||
        directions().of(Phase::response_headers).head_turned())
      handled.insert(Phase::response_headers);
    return !directions().may_come(handled);
  }
  /// A message of a phase has come. False where that is out of order, which ends the exchange.
  bool note_phase(const host::Message& message) {
    if (directions().of(*message.phase).seen(*message.phase, message.is_last())) return true;
    end_malformed("is out of order");
    return false;
  }
  void end_malformed(std::string_view what);
  void look_for_bodies();
  void finish_early();
  void finish_over_limit(std::string_view why);
  void finish_too_large();
  void set_paused(bool paused);
  /// Of attributes and metadata.
  std::size_t context_bytes() const {
    const auto* data = detail::Access::data(context_);
    return data == nullptr ? 0 : data->memory();
  }
  void tell_kept(std::size_t bytes) {
    if (bytes == kept_) return;
    control_.kept(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(kept_));
    kept_ = bytes;
  }

  bool observes() const { return context_.observability_mode(); }
  bool measures() const { return env_.settings.measures || watched_.exact; }
  Clock::time_point now() const { return watched_.exact ? env_.watch->now() : env_.settings.now(); }
  Reporter& reporter() const { return checker_.reporter(); }
  host::AnswerSink& sink() const { return checker_.sink(); }
  Directions& directions() { return checker_.directions(); }
  const Directions& directions() const { return checker_.directions(); }

  Environment& env_;
  AnswerChecker checker_;
  host::Control& control_;
  Request request_;
  Context context_;
  Clock::time_point stream_start_;
  std::size_t kept_ = 0;  // bytes, as the host was told
  GrpcStatus status_ = GrpcStatus::ok;
  bool first_message_ = true;
  bool windows_ = false;
  bool replied_ = false;
  bool paused_ = false;
  bool half_closed_ = false;
  bool finished_ = false;
  bool closing_ = false;  // within on_closed
  bool closed_ = false;
  bool cancelled_ = false;
  bool owed_ = false;  // an answer, when its peer cancelled it
  Watched watched_;
};

}  // namespace extproc::exchange
