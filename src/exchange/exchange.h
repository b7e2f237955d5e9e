#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/answer_checker.h"
#include "exchange/answer_sink.h"
#include "exchange/body_deadline.h"
#include "exchange/body_session.h"
#include "exchange/control.h"
#include "exchange/ending.h"
#include "exchange/environment.h"
#include "exchange/kept_message.h"
#include "exchange/message.h"
#include "exchange/phase_progress.h"
#include "exchange/reply_deadline.h"
#include "exchange/reporter.h"
#include "exchange/streamed_reply.h"
#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/status.h"

namespace extproc::exchange {

/// One HTTP request at its processor: calls the handler of each message's phase and sees to it that
/// what must be answered is answered once, and that the exchange ends. It does no I/O, and knows no
/// form of messages but Message. Reusable: begin() makes it fresh.
class Exchange final : private detail::Completion, private SessionHost {
 public:
  /// All must outlive it.
  Exchange(Reporter& reporter, AnswerSink& sink, Control& control)
      : env_(reporter.environment()), checker_(reporter, sink), control_(control) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// `info` must live until the exchange is closed and released.
  void begin(const detail::CallInfo& info);
  /// The peer bounds what it sends and takes itself, by windows: its messages do not wait, because
  /// those that let answers go are among them. What is kept for it is bounded.
  void expect_windows() { windows_ = true; }
  /// No message has come yet that says how the filter is set up.
  bool expects_first() const { return first_message_; }

  /// Never while the sink is paused. What `message` refers to need not outlive the call.
  void on(const Message& message);
  /// What came is no message.
  void on_malformed();
  /// No message follows.
  void on_end();
  /// The sink is not congested any more.
  void on_writable();
  /// The time of Control::wake_at has come.
  void on_wake();
  /// The stream is over. `status` is what it ended with where it did not end itself; `cancelled`,
  /// that the peer ended it. True when it may be destroyed or begun anew at once; else a handler
  /// still runs, and the sink is told when it has returned. What that handler answers is dropped.
  bool on_closed(GrpcStatus status, bool cancelled);

 private:
  /// A direction's body that has a handler over the whole of it.
  struct BodyRun {
    BodySession session;
    BodyDeadline deadline;

    bool holds_others_up() const { return session.running() && !session.abandoned(); }
  };
  /// What waits until something before it is answered, though the sink was not paused.
  struct Held {
    std::unique_ptr<KeptMessage> message;
    bool noted;  ///< what it says of its request was taken from it
  };
  /// What only a stream needs whose handlers can wait.
  struct Waiting {
    /// While a handler waits; otherwise the environment's is used.
    std::unique_ptr<Scratch> scratch;
    std::unique_ptr<BodyRun> bodies[2];  // of each direction
    std::vector<Held> held;
    std::optional<Fallback> fallback;        // of the handler that waits
    ReplyDeadline deadline;                  // of that one
    std::optional<Clock::time_point> alarm;  // when the sink is to wake this stream
  };
  /// What became of a handler that took too long.
  enum class Late : std::uint8_t {
    none,
    fell_back,  ///< its fallback was sent; the next message waits for its return
    gave_up,    ///< that waited too long too: whatever has no handler yet passes unchanged
  };

  void receive(const Message& message, bool noted);
  void receive_past_late(const Message& message, bool noted);
  void note(const Message& message);
  void note_context(const Message& message);
  void take_message(const Message& message);
  void begin_headers(const Message& message);
  bool is_dropped(const Message& message);
  bool hold_back(const Message& message);
  void hold(const Message& message, bool noted);
  void take_streamed(const Message& message);
  void call_handler();
  void conclude(const std::exception_ptr& failure);
  PhaseOutcome answer(const std::exception_ptr& failure);
  bool answered(const std::exception_ptr& failure);
  PhaseOutcome answer_otherwise(const std::exception_ptr& failure);
  PhaseOutcome take_ending(Phase phase, const Ending& ending);
  void send_answer();
  PhaseOutcome send_streamed();
  PhaseOutcome send_immediate(Phase phase, ImmediateResponse response,
                              const ResponseExtras* extras);
  void send_unchanged(Phase phase, const HttpHeaders& headers, const HttpBody& body);
  PhaseOutcome fail(Phase phase, std::string_view what);
  void after_answer();
  void after_handler();
  bool ends_early() const;
  void finish(GrpcStatus status, std::string_view message = {});
  void release();
  bool running() const;
  void update_pause();
  bool calls(Phase phase) const;
  std::string applied_names() const;
  void bound_memory();
  void deliver_held();
  PhaseResponse& response();

  // In exchange_late.cc.
  void complete(std::exception_ptr failure) noexcept override;
  void set_fallback(const Fallback& fallback) noexcept override;
  void on_waiting(BodySession& session) override;
  void on_fallback(BodySession& session, Fallback fallback) override;
  void wait_for_handler();
  void start_deadline();
  void update_alarm();
  void wake_handler();
  void wake_body(BodyRun& run);
  bool must_fall_back(ReplyDeadline::Action due);
  void tell_fallback(Phase phase);
  void fall_back();
  void fall_back(BodyRun& run);
  void give_up();
  void pass_unchanged(const Message& message);

  std::unique_ptr<BodyRun>& body(Phase phase) {
    return waiting_->bodies[is_request_phase(phase) ? 0 : 1];
  }
  Reporter& reporter() const { return checker_.reporter(); }
  Scratch& scratch() {
    return waiting_ != nullptr && waiting_->scratch != nullptr ? *waiting_->scratch : env_.scratch;
  }
  BodyRun& run_of(const BodySession& session) { return *body(session.phase()); }
  /// What is there of the two directions' bodies.
  std::span<const std::unique_ptr<BodyRun>> bodies() const {
    if (waiting_ == nullptr) return {};
    return waiting_->bodies;
  }

  const Context& context() const override { return context_; }
  Request& request() override { return request_; }
  detail::ChainHost* chain_host() override { return &reporter(); }
  Clock::time_point now() const override { return env_.now(); }
  bool answers() const override { return !finished_ && !closed_ && !context_.observability_mode(); }
  bool congested(Phase phase) const override { return checker_.sink().congested(phase); }
  void send_body_answer(Phase phase, const HttpBody& body, BodyResponse& response) override;
  void send_streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries) override;
  void on_consumed(BodySession& session, std::size_t bytes) override;
  void on_written_too_late(Phase phase) override;
  void on_session_done(BodySession& session, const std::exception_ptr& failure) override;

  Environment& env_;
  AnswerChecker checker_;
  Control& control_;
  Request request_;
  Context context_;
  std::unique_ptr<Waiting> waiting_;
  StreamedReply* streamed_reply_ = nullptr;  // while the handler of request_headers runs
  PhaseProgress progress_;
  Clock::time_point stream_start_;
  Clock::time_point phase_start_;
  // Of the handler that runs or ran last, other than a session's.
  Phase phase_ = Phase::request_headers;
  GrpcStatus status_ = GrpcStatus::ok;
  bool first_message_ = true;
  bool windows_ = false;
  Late late_ = Late::none;
  bool pending_ = false;  // a handler that is not a session's waits
  bool paused_ = false;   // the sink is
  bool half_closed_ = false;
  bool finished_ = false;
  bool closing_ = false;  // within on_closed
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace extproc::exchange
