#pragma once

#include <exception>
#include <memory>
#include <string_view>

#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/status.h"
#include "stream/body_modes.h"
#include "stream/environment.h"
#include "stream/reply_sink.h"
#include "wire/request_reader.h"

namespace extproc::stream {

/// One ext_proc stream, which is one HTTP request: reads each message, calls its phase's handler
/// and sends exactly one legal answer. It does no I/O. Reusable: begin() makes it fresh.
class ProcessStream final : private detail::Completion {
 public:
  /// Both must outlive it.
  ProcessStream(Environment& environment, ReplySink& sink) : env_(environment), sink_(sink) {}
  ProcessStream(const ProcessStream&) = delete;
  ProcessStream& operator=(const ProcessStream&) = delete;

  /// `info` must live until the stream is closed and released.
  void begin(const detail::CallInfo& info);

  /// A serialised ProcessingRequest; never while the sink is paused. `bytes` need not outlive the
  /// call.
  void on_message(std::string_view bytes);
  /// No message follows.
  void on_half_close();
  /// The stream is over. `status` is what it ended with where it did not end itself; `cancelled`,
  /// that the peer ended it. True when it may be destroyed or begun anew at once; else a handler
  /// still runs, and the sink is told when it has returned. What that handler answers is dropped.
  bool on_closed(GrpcStatus status, bool cancelled);

 private:
  void complete(std::exception_ptr failure) noexcept override;

  void take_message(const wire::RequestMessage& message);
  void call_handler();
  void conclude(const std::exception_ptr& failure);
  PhaseOutcome answer(const std::exception_ptr& failure);
  void send_answer();
  PhaseOutcome send_immediate(ImmediateResponse response);
  PhaseOutcome fail(std::string_view what);
  void finish(GrpcStatus status, std::string_view message = {});
  void release();
  PhaseResponse& response();

  Environment& env_;
  ReplySink& sink_;
  Request request_;
  Context context_;
  Scratch* scratch_ = nullptr;
  // Only while a handler is suspended; otherwise scratch_ is the environment's.
  std::unique_ptr<Scratch> own_scratch_;
  Clock::time_point stream_start_;
  Clock::time_point phase_start_;
  BodyModes body_modes_;
  Phase phase_ = Phase::request_headers;
  GrpcStatus status_ = GrpcStatus::ok;
  bool first_message_ = true;
  bool pending_ = false;
  bool half_closed_ = false;
  bool finished_ = false;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace extproc::stream
