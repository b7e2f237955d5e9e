#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "exchange/tracer.h"
#include "trace/exporter.h"
#include "trace/ids.h"
#include "trace/sampler.h"
#include "trace/span_encoder.h"
#include "trace/span_queue.h"
#include "trace/span_templates.h"
#include "trace/traced_streams.h"

namespace extproc::trace {

/// Makes the spans of one thread's streams: `process`, and below it `process.<phase>`, and below
/// that, in a chain, one for each processor.
class StreamTracer final : public exchange::Tracer {
 public:
  /// Spans of a stream's phases; of what comes above that only the number is told.
  static constexpr unsigned kMostPhases = 256;

  /// `processor`: whose streams they are. The settings are right.
  StreamTracer(std::shared_ptr<Exporter> exporter, const TraceSettings& settings,
               std::string_view processor);
  /// To a queue that outlives it, with ids that are the same each time.
  StreamTracer(SpanQueue& queue, const TraceSettings& settings, std::string_view processor,
               std::uint64_t seed);

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
  bool place_by(TracedStream& stream, std::span<const Header> headers);
  bool place_below(TracedStream& stream, const TraceContext& parent);
  bool place_root(TracedStream& stream);
  void add(const SpanParts& parts);

  const std::shared_ptr<Exporter> exporter_;
  SpanOutbox outbox_;
  const Sampler sampler_;
  IdGenerator ids_;
  SpanTemplates templates_;
  TracedStreams streams_;
  std::string own_;  // where the fields of one span are put together
};

}  // namespace extproc::trace
