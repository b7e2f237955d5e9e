#include "exchange/watch.h"

#include "base/access.h"

namespace extproc::exchange {

using detail::Access;

Watched Watch::stream_begin(const Request& request, const Context& context) {
  for (Observer* each : observers_) each->stream_begin(whose_.processor, context, request);
  Watched watched;
  watched.exact = watched.sampled = sampler_.take();
  if (watchers_.tracer != nullptr) {
    watched.traced = watchers_.tracer->begin(request, context, whose_.processor);
    watched.exact |= watched.traced != Traced::no;
  }
  return watched;
}

void Watch::decide(const host::Message& message, const Request& request, const Context& context,
                   Watched& watched) {
  std::span<const Header> headers;
  if (message.phase == Phase::request_headers) headers = message.headers;
  const bool traced = watchers_.tracer->decide(request, context, headers);
  watched.traced = traced ? Traced::yes : Traced::no;
  watched.exact = traced || watched.sampled;
}

// Before the tracer is told of the end, after which it knows nothing of the stream.
void Watch::add_time(metrics::Durations& durations, const Request& request, Watched watched,
                     std::chrono::nanoseconds time) const {
  if (watched.traced == Traced::yes) {
    durations.add(time, watchers_.tracer->ids(Access::of_stream(request)));
  } else {
    durations.add(time);
  }
}

void Watch::stream_end(const Request& request, const Context& context, Watched watched,
                       GrpcStatus status, bool cancelled, bool owed,
                       std::chrono::nanoseconds duration) {
  for (Observer* each : observers_)
    each->stream_end(whose_.processor, context, request, status, cancelled, duration);
  if (cells_ != nullptr) {
    const bool in_order = cancelled && !owed && status == GrpcStatus::cancelled;
    cells_->ended[static_cast<std::size_t>(in_order ? GrpcStatus::ok : status)].add();
    if (watched.exact) add_time(cells_->open, request, watched, duration);
  }
  if (watched.traced != Traced::no)
    watchers_.tracer->end(request, context, status, cancelled, duration);
}

void Watch::phase_begin(const Request& request, const Context& context, Watched watched,
                        Phase phase) {
  for (Observer* each : observers_) each->phase_begin(whose_.processor, context, request, phase);
  if (watched.traced == Traced::yes)
    watchers_.tracer->phase_begin(Access::of_stream(request), context, whose_, phase);
}

void Watch::phase_end(const Request& request, const Context& context, Watched watched, Phase phase,
                      PhaseOutcome outcome, std::chrono::nanoseconds spent) {
  for (Observer* each : observers_)
    each->phase_end(whose_.processor, context, request, phase, outcome, spent);
  if (cells_ != nullptr) {
    const auto i = static_cast<std::size_t>(phase);
    cells_->phases[i][static_cast<std::size_t>(outcome)].add();
    if (watched.exact) add_time(cells_->in_phase[i], request, watched, spent);
  }
  if (watched.traced == Traced::yes) {
    watchers_.tracer->phase_end(Access::of_stream(request), context, whose_, phase, outcome, spent);
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
