#pragma once

#include <cstddef>
#include <string_view>

#include "exchange/answer_checker.h"
#include "exchange/environment.h"
#include "exchange/reporter.h"
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

 protected:
  /// All must outlive it.
  BaseExchange(Reporter& reporter, host::AnswerSink& sink, host::Control& control)
      : env_(reporter.environment()), checker_(reporter, sink), control_(control) {}

  void start();
  /// Ends the exchange, once.
  void finish(GrpcStatus status, std::string_view message = {});
  virtual void on_finished() = 0;
  void note_closed(GrpcStatus status, bool cancelled);
  /// No handler runs any more.
  void complete_exchange();

  /// No message may follow that a handler would change something of, as far as the filter's set-up
  /// tells.
  bool nothing_follows() const;
  void finish_early();
  void finish_too_large();
  void set_paused(bool paused);
  void tell_kept(std::size_t bytes);

  bool observes() const { return context_.observability_mode(); }
  bool measures() const { return env_.settings.observer != nullptr || env_.settings.measures; }
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
};

}  // namespace extproc::exchange
