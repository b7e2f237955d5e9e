#pragma once

#include <utility>
#include <vector>

#include "extproc/observer.h"

namespace extproc::exchange {

/// Several observers as one: each is told in turn.
class Observers final : public Observer {
 public:
  explicit Observers(std::vector<Observer*> all) : all_(std::move(all)) {}

  using Observer::phase_begin;
  using Observer::phase_end;
  using Observer::stream_begin;
  using Observer::stream_end;

  void stream_begin(std::string_view processor, const Context& context,
                    const Request& request) override {
    for (Observer* each : all_) each->stream_begin(processor, context, request);
  }
  void stream_end(std::string_view processor, const Context& context, const Request& request,
                  GrpcStatus status, bool cancelled, std::chrono::nanoseconds duration) override {
    for (Observer* each : all_)
      each->stream_end(processor, context, request, status, cancelled, duration);
  }
  void phase_begin(std::string_view processor, const Context& context, const Request& request,
                   Phase phase) override {
    for (Observer* each : all_) each->phase_begin(processor, context, request, phase);
  }
  void phase_end(std::string_view processor, const Context& context, const Request& request,
                 Phase phase, PhaseOutcome outcome, std::chrono::nanoseconds duration) override {
    for (Observer* each : all_)
      each->phase_end(processor, context, request, phase, outcome, duration);
  }

 private:
  std::vector<Observer*> all_;
};

}  // namespace extproc::exchange
