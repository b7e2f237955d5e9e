#include "exchange/watch.h"

#include "extproc/trace.h"

namespace extproc::exchange {

using detail::Access;

void Watch::tell_stream_begin(const Request& request, Context& context, Watched& watched) const {
  for (Observer* each : observers_) each->stream_begin(whose_.processor, context, request);
  if (watchers_.tracer == nullptr) return;
  watched.traced = watchers_.tracer->begin(request, context);
  watched.exact |= cells_ != nullptr && watched.traced != Traced::no;
}

void Watch::decide(const host::Message& message, const Request& request, Context& context,
                   Watched& watched) {
  std::span<const Header> headers;
  if (message.phase == Phase::request_headers) headers = message.headers;
  const bool traced = watchers_.tracer->decide(request, context, headers);
  watched.traced = traced ? Traced::yes : Traced::no;
  watched.exact = (traced && cells_ != nullptr) || watched.sampled;
}

// Before the tracer is told of the end, after which it knows nothing of the stream.
void Watch::add_time(metrics::Durations& durations, const Request& request, Watched watched,
                     std::chrono::nanoseconds time) const {
  if (watched.traced == Traced::yes) {
    const TraceContext& trace = *trace_of(request);
    durations.add(time, {.trace = trace.trace_id, .span = trace.span_id});
  } else {
    durations.add(time);
  }
}

void Watch::tell_stream_end(const Request& request, Context& context, GrpcStatus status,
                            bool cancelled, bool owed, std::chrono::nanoseconds duration) const {
  for (Observer* each : observers_)
    each->stream_end(whose_.processor, context, request, status, cancelled, duration);
  if (watchers_.tracer != nullptr) watchers_.tracer->end(request, context, status, cancelled, owed);
}

void Watch::tell_phase_begin(const Request& request, Context& context, Watched watched,
                             Phase phase) const {
  for (Observer* each : observers_) each->phase_begin(whose_.processor, context, request, phase);
  if (watched.traced == Traced::yes)
    watchers_.tracer->phase_begin(Access::of_stream(request), context, whose_, phase);
}

void Watch::tell_phase_end(const Request& request, Context& context, Watched watched, Phase phase,
                           PhaseOutcome outcome, std::chrono::nanoseconds spent) const {
  for (Observer* each : observers_)
    each->phase_end(whose_.processor, context, request, phase, outcome, spent);
  if (watched.traced == Traced::yes) {
    watchers_.tracer->phase_end(Access::of_stream(request), context, whose_, phase, outcome);
  }
}

void Watch::immediate_response(const Request& request, Phase phase, int status) {
  if (cells_ != nullptr) {
    // What no HTTP status is, is sent as 500.
    const bool legal = status >= 100 && status < 600;
    const auto status_class = static_cast<std::size_t>(legal ? status / 100 - 1 : 4);
    cells_->immediate[static_cast<std::size_t>(phase)][status_class].add();
  }
  if (watchers_.tracer != nullptr)
    watchers_.tracer->immediate(Access::of_stream(request), whose_, phase, status);
}

void Watch::violation(const Request& request, Phase phase, Rule rule) {
  if (cells_ != nullptr) cells_->violations[static_cast<std::size_t>(rule)].add();
  if (watchers_.tracer != nullptr)
    watchers_.tracer->violation(Access::of_stream(request), whose_, phase, rule);
}

}  // namespace extproc::exchange
