#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "exchange/environment.h"
#include "exchange/watch.h"
#include "extproc/completed.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/rule.h"
#include "extproc/status.h"
#include "rules/header_rules.h"

namespace extproc::exchange {

/// Tells who looks on, the counters and the log what the handlers of a thread's streams do: those
/// of one processor, which may be one of a chain.
class Reporter final {
 public:
  /// `environment` must outlive it.
  explicit Reporter(Environment& environment) : env_(environment) {}

  Environment& environment() const { return env_; }

  /// Not of a chain's processors, nor the end of one.
  Watched stream_begin(const Request& request, Context& context) const {
    env_.counters.streams_started.add();
    env_.counters.streams_open.add();
    return env_.watch == nullptr ? Watched() : env_.watch->stream_begin(request, context);
  }
  void stream_end(const Request& request, Context& context, Watched watched, const Completed& how,
                  bool owed) const {
    if (env_.link != nullptr) return;
    env_.counters.streams_open.subtract();
    if (how.status != GrpcStatus::ok && !how.cancelled) env_.counters.streams_failed.add();
    if (env_.watch != nullptr) {
      env_.watch->stream_end(request, context, watched, how.status, how.cancelled, owed, how.open);
    }
  }
  void message(const host::Message& message, const Request& request, Context& context,
               Watched& watched) const {
    if (env_.link != nullptr) return;
    env_.counters.messages.add();
    if (env_.watch != nullptr) env_.watch->received(message, request, context, watched);
  }
  /// What its host says is none.
  void no_message() const {
    env_.counters.messages.add();
    if (env_.watch != nullptr) env_.watch->no_message();
  }
  /// An answer leaves that belongs to a message of `phase`, or a piece of one, with so much of a
  /// body.
  void sent(Phase phase, std::size_t body_bytes) const {
    if (env_.watch != nullptr && env_.link == nullptr) env_.watch->sent(phase, body_bytes);
  }
  void immediate_response(const Request& request, Phase phase, int status) const {
    (env_.link == nullptr ? env_.counters.immediate_responses : env_.link->immediate_responses)
        .add();
    if (env_.watch != nullptr) env_.watch->immediate_response(request, phase, status);
  }
  void phase_begin(const Request& request, Context& context, Watched watched, Phase phase) const {
    if (env_.link != nullptr) env_.link->calls.add();
    if (env_.logger.enabled(LogLevel::debug)) log_phase_begin(request, phase);
    if (env_.watch != nullptr) env_.watch->phase_begin(request, context, watched, phase);
  }
  void phase_end(const Request& request, Context& context, Watched watched, Phase phase,
                 PhaseOutcome outcome, std::chrono::nanoseconds spent) const {
    if (env_.watch != nullptr)
      env_.watch->phase_end(request, context, watched, phase, outcome, spent);
    if (env_.logger.enabled(LogLevel::debug)) log_phase_end(request, phase, outcome, spent);
  }
  void failure(const Request& request, Phase phase, std::string_view what) const;
  /// Has the processor itself know of the end of a request's stream.
  void tell_complete(const Completed& how, Context& context, Request& request) const;
  /// Work of a handler was not run for want of time.
  void refused(const Request& request, Phase phase) const;
  /// Work of a handler took `time` on a blocking thread, for which Envoy does not wait by what the
  /// server was told of the filter.
  void outlasts(const Request& request, Phase phase, std::chrono::nanoseconds time) const;
  /// A handler has waited for as long as message_timeout where Envoy runs no timer.
  void waits_untimed(const Request& request, Phase phase) const;
  /// No body of `phase`, which has a handler, was sent, as the filter is set up.
  void not_sent(const Request& request, Phase phase) const;
  /// It sets dynamic metadata of a namespace that its needs() do not state.
  void metadata_not_stated(const Request& request, Phase phase, std::string_view name) const;
  /// A handler took so long on the stream's own thread.
  void time_on_thread(const Request& request, Phase phase, std::chrono::nanoseconds spent) const {
    if (spent > env_.settings.slow_handler) tell_slow(request, phase, spent);
  }
  /// `what`: how a message is none that may come.
  void malformed_message(const Request& request, const Context& context,
                         std::string_view what) const;
  /// The request's stream is ended because more was to be kept for it than a limit allows.
  void over_limit(const Request& request, const Context& context, std::string_view what) const;

  /// The answer of `phase` breaks `rule`.
  void violation(const Request& request, Phase phase, Rule rule, std::string_view field) const;

  /// Null where nobody traces, and before it is known.
  const TraceContext* trace_of(const Request& request) const;

 private:
  void failed(const Request& request, std::optional<Phase> phase, std::string_view event,
              std::string_view what) const;
  void log_phase_begin(const Request& request, Phase phase) const;
  void log_phase_end(const Request& request, Phase phase, PhaseOutcome outcome,
                     std::chrono::nanoseconds spent) const;
  void tell_slow(const Request& request, Phase phase, std::chrono::nanoseconds spent) const;

  Environment& env_;
};

/// Reports what is wrong with the answer of one phase.
class AnswerViolations final : public rules::ViolationListener {
 public:
  AnswerViolations(const Reporter& reporter, const Request& request, Phase phase)
      : reporter_(reporter), request_(request), phase_(phase) {}

  void on_violation(Rule rule, std::string_view field) override {
    reporter_.violation(request_, phase_, rule, field);
  }

 private:
  const Reporter& reporter_;
  const Request& request_;
  Phase phase_;
};

}  // namespace extproc::exchange
