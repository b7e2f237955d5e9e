#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "exchange/environment.h"
#include "extproc/completed.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/rule.h"
#include "extproc/status.h"
#include "rules/header_rules.h"

namespace extproc::exchange {

/// Tells the observer, the counters and the log what the handlers of a thread's streams do: those
/// of one processor, which may be one of a chain.
class Reporter final {
 public:
  /// `environment` must outlive it.
  explicit Reporter(Environment& environment) : env_(environment) {}

  Environment& environment() const { return env_; }

  void stream_begin(const Request& request, const Context& context) const {
    if (env_.link != nullptr) return;
    env_.counters.streams_started.add();
    env_.counters.streams_open.add();
    if (env_.settings.observer != nullptr)
      env_.settings.observer->stream_begin(env_.dispatcher.name(), context, request);
  }
  void stream_end(const Request& request, const Context& context, GrpcStatus status, bool cancelled,
                  std::chrono::nanoseconds duration) const {
    if (env_.link != nullptr) return;
    env_.counters.streams_open.subtract();
    if (status != GrpcStatus::ok && !cancelled) env_.counters.streams_failed.add();
    if (env_.settings.observer != nullptr) {
      env_.settings.observer->stream_end(env_.dispatcher.name(), context, request, status,
                                         cancelled, duration);
    }
  }
  void message() const {
    if (env_.link == nullptr) env_.counters.messages.add();
  }
  void immediate_response() const {
    (env_.link == nullptr ? env_.counters.immediate_responses : env_.link->immediate_responses)
        .add();
  }
  void phase_begin(const Request& request, const Context& context, Phase phase) const;
  void phase_end(const Request& request, const Context& context, Phase phase, PhaseOutcome outcome,
                 std::chrono::nanoseconds spent) const;
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

 private:
  void failed(const Request& request, std::optional<Phase> phase, std::string_view event,
              std::string_view what) const;
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
