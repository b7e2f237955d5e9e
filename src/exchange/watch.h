#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/access.h"
#include "exchange/sampler.h"
#include "exchange/tracer.h"
#include "extproc/host.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"
#include "extproc/status.h"
#include "metrics/stream_cells.h"

namespace extproc::exchange {

/// What an exchange keeps for those who look on at it.
struct Watched {
  /// Its times are to be read from the exact clock, whatever the host's is.
  bool exact = false;
  /// It is one of those whose times metrics keep.
  bool sampled = false;
  Traced traced = Traced::no;
};

/// Who looks on at the streams of a host besides the observers of its settings.
struct Watchers {
  /// Whether all is counted that StreamCells has, and of one of how many streams the times are
  /// kept.
  bool metrics = false;
  unsigned sample = 16;
  /// The clock of those times, exact whatever the host's is.
  host::Clock::time_point (*now)() = &host::Clock::now;
  /// Null: none. Must outlive the host.
  Tracer* tracer = nullptr;
};

/// Looks on at the streams of one processor, or chain, on one thread, and tells all who want to
/// know: the observers first. There is none where nobody does.
class Watch final {
 public:
  /// `processor` and whoever is told must outlive it.
  Watch(std::string_view processor, std::vector<Observer*> observers, const Watchers& watchers)
      : whose_{.processor = processor},
        observers_(std::move(observers)),
        watchers_(watchers),
        cells_(watchers.metrics ? std::make_unique<metrics::StreamCells>() : nullptr),
        sampler_(watchers.metrics ? watchers.sample : 0) {}
  /// For a processor of the chain that `chain` looks on at.
  Watch(const Watch& chain, std::string_view processor)
      : whose_{.processor = processor, .in_chain = true},
        observers_(chain.observers_),
        watchers_(chain.watchers_),
        cells_(chain.cells_ != nullptr ? std::make_unique<metrics::StreamCells>() : nullptr),
        sampler_(0) {}

  host::Clock::time_point now() const { return watchers_.now(); }
  /// Null where nothing is counted.
  const metrics::StreamCells* cells() const { return cells_.get(); }

  // Of a stream as its host has it, and of none of a chain's processors.
  Watched stream_begin(const Request& request, Context& context) {
    Watched watched;
    watched.exact = watched.sampled = sampler_.take();
    if (told_of_streams_) tell_stream_begin(request, context, watched);
    return watched;
  }
  /// `owed`: it was cancelled while an answer was owed to a message.
  void stream_end(const Request& request, Context& context, Watched watched, GrpcStatus status,
                  bool cancelled, bool owed, std::chrono::nanoseconds duration) {
    if (cells_ != nullptr) {
      const bool in_order = cancelled && !owed && status == GrpcStatus::cancelled;
      cells_->ended[static_cast<std::size_t>(in_order ? GrpcStatus::ok : status)].add();
      if (watched.exact) add_time(cells_->open, request, watched, duration);
    }
    if (told_of_streams_) tell_stream_end(request, context, status, cancelled, owed, duration);
  }
  /// A message has come, and nothing was done about it.
  void received(const host::Message& message, const Request& request, Context& context,
                Watched& watched) {
    if (cells_ != nullptr) count(message);
    if (watched.traced == Traced::undecided) decide(message, request, context, watched);
  }
  /// What came is no message.
  void no_message() {
    if (cells_ != nullptr) cells_->without_phase.add();
  }
  /// An answer to a message of `phase`, or a piece of one, with so much of a body.
  void sent(Phase phase, std::size_t body_bytes) {
    if (cells_ == nullptr) return;
    const auto i = static_cast<std::size_t>(phase);
    cells_->sent.messages[i].add();
    if (body_bytes > 0) cells_->sent.body_bytes[i].add(body_bytes);
  }

  // Of either.
  void phase_begin(const Request& request, Context& context, Watched watched, Phase phase) {
    if (is_told(watched)) tell_phase_begin(request, context, watched, phase);
  }
  void phase_end(const Request& request, Context& context, Watched watched, Phase phase,
                 PhaseOutcome outcome, std::chrono::nanoseconds spent) {
    if (cells_ != nullptr) {
      const auto i = static_cast<std::size_t>(phase);
      cells_->phases[i][static_cast<std::size_t>(outcome)].add();
      if (watched.exact) add_time(cells_->in_phase[i], request, watched, spent);
    }
    if (is_told(watched)) tell_phase_end(request, context, watched, phase, outcome, spent);
  }
  void immediate_response(const Request& request, Phase phase, int status);
  void violation(const Request& request, Phase phase, Rule rule);
  /// Null where nobody traces.
  const TraceContext* trace_of(const Request& request) const {
    return watchers_.tracer == nullptr
               ? nullptr
               : watchers_.tracer->trace_of(detail::Access::of_stream(request));
  }

 private:
  void count(const host::Message& message) {
    if (!message.phase) return no_message();
    const auto i = static_cast<std::size_t>(*message.phase);
    cells_->received.messages[i].add();
    if (!message.body.empty()) cells_->received.body_bytes[i].add(message.body.size());
  }
  void add_time(metrics::Durations& durations, const Request& request, Watched watched,
                std::chrono::nanoseconds time) const;
  /// Somebody is told of its phases.
  bool is_told(Watched watched) const {
    return !observers_.empty() || watched.traced == Traced::yes;
  }
  // To the observers, and to the tracer.
  void tell_stream_begin(const Request& request, Context& context, Watched& watched) const;
  void tell_stream_end(const Request& request, Context& context, GrpcStatus status, bool cancelled,
                       bool owed, std::chrono::nanoseconds duration) const;
  void tell_phase_begin(const Request& request, Context& context, Watched watched,
                        Phase phase) const;
  void tell_phase_end(const Request& request, Context& context, Watched watched, Phase phase,
                      PhaseOutcome outcome, std::chrono::nanoseconds spent) const;
  void decide(const host::Message& message, const Request& request, Context& context,
              Watched& watched);

  const Whose whose_;
  const std::vector<Observer*> observers_;
  const Watchers watchers_;
  /// There is an observer, or a tracer.
  const bool told_of_streams_ = !observers_.empty() || watchers_.tracer != nullptr;
  const std::unique_ptr<metrics::StreamCells> cells_;
  Sampler sampler_;
};

}  // namespace extproc::exchange
