#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/access.h"
#include "base/queue.h"
#include "exchange/base_exchange.h"
#include "exchange/body_session.h"
#include "exchange/deadlines.h"
#include "exchange/direction.h"
#include "exchange/ending.h"
#include "exchange/environment.h"
#include "exchange/kept_message.h"
#include "exchange/reporter.h"
#include "exchange/streamed_reply.h"
#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/host.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/status.h"

namespace extproc::exchange {

/// The exchange of one processor, which may be one of a chain.
class ProcessorExchange final : public BaseExchange, private detail::Completion {
 public:
  /// All must outlive it.
  ProcessorExchange(Reporter& reporter, host::AnswerSink& sink, host::Control& control)
      : BaseExchange(reporter, sink, control) {}

  void begin(const detail::CallInfo& info) override;
  /// In place of begin() for a processor of a chain: its handlers are told of the call and of
  /// Envoy's attributes what `context` tells, which must outlive the exchange.
  void begin_link(const Context& context, Watched watched);
  /// Of a chain's processor, as the chain's.
  void watch_as(Watched watched, const TraceContext* trace) {
    watched_ = watched;
    detail::Access::set_trace(context_, trace);
  }
  /// Of a chain's processor: what its request shares with the others is with `chain`.
  void share(Request& chain) { detail::Access::share(request_, chain); }
  void expect_windows() override { windows_ = true; }

  void on(const host::Message& message) override;
  /// Envoy waits for the answers to the messages that follow since then, and not since on(), as
  /// those of a chain's later processors.
  void sent_at(std::optional<Clock::time_point> time) {
    if (waiting_ != nullptr) waiting_->sent = time;
  }
  void on_end() override;
  /// No chunk follows in the direction of `body`, and no trailers.
  void on_body_end(Phase body);
  void on_writable() override;
  void on_wake() override;
  bool on_closed(GrpcStatus status, bool cancelled, std::string_view why) override;
  /// Of a chain's processor, which is released: the chain is over.
  void tell_complete() {
    const Completed how = completed();
    if (env_.dispatcher.traits().completes) reporter().tell_complete(how, context_, request_);
    complete_exchange(how);
  }

  Request& request() { return request_; }
  const Request& request() const { return request_; }
  /// A handler has not returned.
  bool running() const;
  bool reads_nothing() const override;
  /// A message has no answer yet.
  bool owes_answer() const;
  /// The phase of a handler that has not returned, the later where there are two.
  Phase running_phase() const;
  bool body_running(Phase body) const;
  /// The answer to the headers of the direction waits for the handler over its body.
  bool holds_headers(Phase phase) const { return directions().of(phase).held != nullptr; }
  /// Of a chain's processor, whose messages do not say it: how the filter is set up.
  void configure(const std::optional<ProtocolConfiguration>& config) {
    first_message_ = false;
    directions().configure(config);
  }
  /// Of a chain's processor: bodies come in the modes of `frame`, as they are now.
  void come_as(const Directions& frame) { directions().come_as(frame); }
  /// The headers of the direction came to it.
  bool saw_headers(Phase phase) const { return directions().of(phase).are_headers_seen(); }
  /// Of a chain's processor: `before`, which is before it, made such `changes` with its answer to
  /// `body` of headers that this one had had already.
  void follow(const ProcessorExchange& before, Phase body, const HeaderMutation& changes) {
    Direction& its = directions().of(body);
    if (changes.sets("content-length")) its.content_length_set();
    if (!before.directions().of(body).has_content()) its.has_no_content();
  }
  /// A handler runs though its fallback was sent.
  bool late() const { return late_ != Late::none; }
  /// A handler is being called or answered for: no message may come.
  bool busy() const { return busy_; }
  /// What bodies' handlers have not read.
  std::size_t unread_bytes() const;
  void describe_handler(OpenExchange& open) const override;

 private:
  /// What waits until something before it is answered, though the sink was not paused.
  struct Held {
    std::unique_ptr<KeptMessage> message;
    bool noted;  ///< what it says of its request was taken from it

    std::size_t bytes() const { return sizeof(Held) + sizeof(KeptMessage) + message->bytes(); }
  };
  /// What only a stream needs whose handlers can wait.
  struct Waiting {
    /// While a handler waits; otherwise the environment's is used.
    std::unique_ptr<Scratch> scratch;
    Queue<Held> held;
    std::size_t held_bytes = 0;
    std::optional<Clock::time_point> sent;     // see sent_at()
    Clock::time_point start;                   // of the handler that waits
    Clock::time_point since;                   // Envoy has waited for the answer of that one
    std::optional<detail::Fallback> fallback;  // of the handler that waits
    ReplyDeadline deadline;                    // of that one
    std::optional<Clock::time_point> alarm;    // when the sink is to wake this stream
  };
  /// What became of a handler that took too long.
  enum class Late : std::uint8_t {
    none,
    fell_back,  ///< its fallback was sent; the next message waits for its return
    gave_up,    ///< that waited too long too: whatever has no handler yet passes unchanged
  };

  void receive(const host::Message& message, bool noted);
  void receive_past_late(const host::Message& message, bool noted);
  void note(const host::Message& message);
  void take_message(const host::Message& message);
  void begin_headers(const host::Message& message);
  bool is_dropped(const host::Message& message);
  bool hold_back(const host::Message& message);
  void hold(const host::Message& message, bool noted);
  void take_streamed(const host::Message& message);
  void make_run(Phase phase);
  void call_handler();
  void conclude(const std::exception_ptr& failure, Clock::time_point start);
  PhaseOutcome answer(const std::exception_ptr& failure);
  bool answered(const std::exception_ptr& failure);
  PhaseOutcome answer_otherwise(const std::exception_ptr& failure);
  PhaseOutcome take_ending(Phase phase, const Ending& ending);
  PhaseOutcome send_answer(Phase phase, Scratch& call);
  PhaseOutcome finish_for_length();
  PhaseOutcome send_streamed();
  PhaseOutcome send_immediate(Phase phase, ImmediateResponse response,
                              const ResponseExtras* extras);
  void send_unchanged(Phase phase, const HttpHeaders& headers, const HttpTrailers& trailers,
                      const HttpBody& body);
  PhaseOutcome fail(Phase phase, std::string_view what);
  void after_answer();
  void after_handler();
  void finish_half_closed();
  bool ends_early() const;
  void on_finished() override;
  void release();
  void update_pause();
  void bound_memory();
  // Without handlers that wait nothing else is kept.
  void tell_kept() {
    if (waiting_ != nullptr || detail::Access::data(context_) != nullptr)
      BaseExchange::tell_kept(kept_bytes());
  }
  std::size_t kept_bytes();
  void deliver_held();
  PhaseResponse& response();

  // In processor_exchange_late.cc.
  void complete(std::exception_ptr failure) noexcept override;
  void set_fallback(const detail::Fallback& fallback) noexcept override;
  detail::TimeLeft time_left() override;
  void on_refused() noexcept override { reporter().refused(request_, phase_); }
  void on_outlasted(std::chrono::nanoseconds time) noexcept override { on_outlasted(phase_, time); }
  void on_outlasted(Phase phase, std::chrono::nanoseconds time) const;
  void wait_for_handler();
  void take_fallback();
  std::optional<Clock::time_point> fall_back_at() const;
  void start_deadline();
  void update_alarm();
  void wake_handler();
  void wake_body(BodyRun& run);
  bool must_fall_back(Phase phase, ReplyDeadline::Action due);
  void tell_fallback(Phase phase);
  void fall_back();
  void fall_back(BodyRun& run);
  void send_fallback();
  void send_fallback(BodyRun& run);
  PhaseOutcome refuse(Phase phase, std::string_view why);
  detail::TimeLeft time_until(std::optional<Clock::time_point> answer_by, bool falls_back) const;
  void give_up();
  void pass_unchanged(const host::Message& message);

  // In processor_exchange_held.cc.
  bool body_comes_first(Phase headers);
  bool is_to_wait(Phase headers, HeadersResponse& response) const;
  bool hold_headers(Phase phase, Scratch& call);
  void time_held(Phase phase, Clock::time_point sent);
  void note_held_body(Phase body);
  void wake_held(Phase body);
  void stop_holding(Phase body, std::string_view limit);
  /// Sends the answer to the direction's headers, where that waits for the body.
  void release_headers(Phase phase);

  void start_handlers();
  Clock::time_point sent() const;
  std::unique_ptr<BodyRun>& body(Phase phase) { return directions().of(phase).run; }
  Scratch& scratch() {
    return waiting_ != nullptr && waiting_->scratch != nullptr ? *waiting_->scratch : env_.scratch;
  }
  /// Of the handler of request_headers that runs; else null.
  StreamedReply* streamed_reply() { return may_stream_ ? &*scratch().streamed_reply : nullptr; }
  /// The handler that writes a response waits for the sink.
  void wake_writer() {
    if (pending_ && may_stream_) streamed_reply()->wake();
  }
  BodyRun& run_of(const BodySession& session) { return *body(session.phase()); }

  // What a streamed reply needs, and a body's session.
  friend class StreamedReply;
  void on_collected() { tell_kept(); }
  friend class BodySession;
  const Context& context() const { return context_; }
  bool answers() const { return !finished_ && !closed_ && !observes(); }
  bool congested(Phase phase) const { return sink().congested(phase); }
  void send_body_answer(Phase phase, const HttpBody& body, BodyResponse& response);
  void send_streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries);
  void decide_headers(BodySession& session);
  void on_waiting(BodySession& session);
  void on_paced() { update_alarm(); }
  detail::TimeLeft time_left(const BodySession& session) const;
  void on_refused(const BodySession& session) { reporter().refused(request_, session.phase()); }
  void on_fallback(BodySession& session, detail::Fallback fallback);
  void on_consumed(BodySession& session, std::size_t bytes);
  void on_written_too_late(Phase phase);
  void on_session_done(BodySession& session, const std::exception_ptr& failure);

  std::unique_ptr<Waiting> waiting_;
  // Of the handler that runs or ran last, other than a session's.
  Phase phase_ = Phase::request_headers;
  bool busy_ = false;
  bool may_stream_ = false;  // the handler of request_headers runs
  Late late_ = Late::none;
  bool pending_ = false;  // a handler that is not a session's waits
};

}  // namespace extproc::exchange
