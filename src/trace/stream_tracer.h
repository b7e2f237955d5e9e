#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/tracer.h"
#include "extproc/phase.h"
#include "trace/exporter.h"
#include "trace/ids.h"
#include "trace/sampler.h"
#include "trace/span_encoder.h"
#include "trace/span_queue.h"

namespace extproc::trace {

/// Makes the spans of one thread's streams: `process`, and below it `process.<phase>`, and below
/// that, in a chain, one for each processor.
class StreamTracer final : public exchange::Tracer {
 public:
  /// Spans of a stream's phases; of what comes above that only the number is told.
  static constexpr unsigned kMostPhases = 256;

  /// `processor`: what its streams are of. The settings are right.
  StreamTracer(std::shared_ptr<Exporter> exporter, const TraceSettings& settings,
               std::string_view processor);
  /// To a queue that is not sent, with ids that are the same each time.
  StreamTracer(SpanQueue& queue, const TraceSettings& settings, std::string_view processor,
               std::uint64_t seed);
  ~StreamTracer() override;
  StreamTracer(const StreamTracer&) = delete;
  StreamTracer& operator=(const StreamTracer&) = delete;

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
  static constexpr std::size_t kOutcomes = 6;
  static constexpr std::size_t kStatuses = 17;

  struct OpenSpan;
  struct Stream;
  /// What all spans of a processor's phases have.
  struct ProcessorFields {
    std::string_view name;
    std::array<SpanFields, kPhaseCount> phases;
  };

  void set_up(std::string_view processor);
  Stream* stream_of(const Request& request) const;
  Stream& take_stream(const Request& request);
  void release(const Request& request, Stream& stream);
  bool place(Stream& stream, const std::optional<TraceContext>& parent);
  OpenSpan* take_span();
  void give_back(Stream& stream, OpenSpan* span);
  const SpanFields& fields_of(std::string_view processor, Phase phase);
  void add(const SpanParts& parts);

  const std::shared_ptr<Exporter> exporter_;
  SpanOutbox outbox_;
  const Sampler sampler_;
  IdGenerator ids_;
  SpanFields of_process_;
  std::array<SpanFields, kOutcomes> of_outcome_;
  std::array<SpanFields, kStatuses> of_status_;
  std::vector<std::unique_ptr<ProcessorFields>> of_processors_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::uint32_t> free_;  // among the streams
  std::vector<std::unique_ptr<OpenSpan>> spare_;
  std::string own_;  // where the fields of one span are put together
};

}  // namespace extproc::trace
