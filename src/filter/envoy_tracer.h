#pragma once

#include <memory>
#include <span>
#include <unordered_map>

#include "exchange/tracer.h"
#include "extproc/trace.h"

namespace extproc::filter {

/// Spans of what the processors of one worker do, as children of Envoy's own, where Envoy has one:
/// `process.<phase>`, and below it, in a chain, one for each processor. On the worker, or in its
/// turn.
class EnvoyTracer final : public exchange::Tracer {
 public:
  EnvoyTracer();
  ~EnvoyTracer() override;
  EnvoyTracer(const EnvoyTracer&) = delete;
  EnvoyTracer& operator=(const EnvoyTracer&) = delete;

  /// The exchange that begins next is of this filter of Envoy's.
  void expect(void* envoy) { next_ = envoy; }
  /// Envoy lets go of it: what is open of its spans ends.
  void leave(void* envoy);

  exchange::Traced begin(const Request& request, Context& context) override;
  bool decide(const Request& request, Context& context, std::span<const Header> headers) override;
  void end(const Request& request, Context& context, GrpcStatus status, bool cancelled,
           bool owed) override;
  void phase_begin(const Request& request, Context& context, const exchange::Whose& whose,
                   Phase phase) override;
  void phase_end(const Request& request, Context& context, const exchange::Whose& whose,
                 Phase phase, PhaseOutcome outcome) override;
  void immediate(const Request& request, const exchange::Whose& whose, Phase phase,
                 int status) override;
  void violation(const Request& request, const exchange::Whose& whose, Phase phase,
                 Rule rule) override;
  const TraceContext* trace_of(const Request& request) const override;

 private:
  struct OpenSpan;
  struct TracedStream;

  TracedStream* find(const Request& request) const;

  void* next_ = nullptr;
  /// Those that Envoy traces; their requests stay where they are.
  std::unordered_map<const Request*, std::unique_ptr<TracedStream>> streams_;
  /// The same, until Envoy lets go of them.
  std::unordered_map<void*, TracedStream*> of_envoy_;
};

}  // namespace extproc::filter
