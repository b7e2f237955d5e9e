#include "trace/stream_tracer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/access.h"
#include "trace/parent.h"

namespace extproc::trace {
namespace {

using exchange::Traced;
using exchange::Whose;

/// Of the events of one span.
constexpr std::size_t kEventBytes = 2048;

}  // namespace

StreamTracer::StreamTracer(std::shared_ptr<Exporter> exporter, const TraceSettings& settings,
                           std::string_view processor)
    : exporter_(std::move(exporter)),
      outbox_(exporter_->queue()),
      sampler_(settings.sampler, settings.ratio),
      templates_(processor) {}

StreamTracer::StreamTracer(SpanQueue& queue, const TraceSettings& settings,
                           std::string_view processor, std::uint64_t seed)
    : outbox_(queue),
      sampler_(settings.sampler, settings.ratio),
      ids_(seed),
      templates_(processor) {}

Traced StreamTracer::begin(const Request& request, Context& context) {
  TracedStream& stream = streams_.add(request);
  const detail::CallInfo* const call = detail::Access::call(context);
  // Where the call has none its first message may.
  if (call == nullptr || !call->may_have_trace()) return Traced::undecided;
  Parent parent;
  const std::size_t size = call->metadata_size();
  for (std::size_t i = 0; i < size; ++i) {
    const auto [name, value] = call->metadata_at(i);
    parent.take(name, value);
  }
  const auto found = parent.context();
  if (!found) return Traced::undecided;
  const bool kept = place_below(stream, *found);
  detail::Access::set_trace(context, &stream.context);
  return kept ? Traced::yes : Traced::no;
}

bool StreamTracer::decide(const Request& request, Context& context,
                          std::span<const Header> headers) {
  TracedStream& stream = *streams_.find(request);
  const bool has_parent =
      std::ranges::any_of(headers, [](const Header& header) { return Parent::is(header.name); });
  const bool kept = has_parent ? place_by(stream, headers) : place_root(stream);
  detail::Access::set_trace(context, &stream.context);
  return kept;
}

bool StreamTracer::place_by(TracedStream& stream, std::span<const Header> headers) {
  Parent parent;
  for (const Header& header : headers) parent.take(header.name, header.value);
  const auto found = parent.context();
  return found ? place_below(stream, *found) : place_root(stream);
}

// Each: where it is in which trace, and whether its spans are kept.

bool StreamTracer::place_below(TracedStream& stream, const TraceContext& parent) {
  stream.is_placed = stream.has_parent = true;
  TraceContext& context = stream.context;
  context = parent;
  stream.parent = parent.span_id;
  stream.state = parent.tracestate;
  context.tracestate = stream.state;
  const bool kept = sampler_.samples(context.trace_id, parent.sampled());
  context.flags &= static_cast<std::uint8_t>(~TraceContext::kSampled);
  if (!kept) return false;
  context.flags |= TraceContext::kSampled;
  context.span_id = ids_.span_id();
  stream.begin_now();
  return true;
}

bool StreamTracer::place_root(TracedStream& stream) {
  stream.is_placed = true;
  stream.has_parent = false;
  TraceContext& context = stream.context;
  context.trace_id = ids_.trace_id();
  context.span_id = ids_.span_id();
  context.tracestate = {};
  const bool kept = sampler_.samples(context.trace_id);
  context.flags = kept ? TraceContext::kSampled : 0;
  if (kept) stream.begin_now();
  return kept;
}

void StreamTracer::end(const Request& request, Context& context, GrpcStatus status, bool cancelled,
                       bool owed) {
  TracedStream* const stream = streams_.find(request);
  if (stream == nullptr) return;
  // No message came.
  if (!stream->is_placed) place_root(*stream);
  if (stream->context.sampled()) {
    // A peer that ends its stream when it is owed nothing ends it well.
    const bool well = cancelled && !owed && status == GrpcStatus::cancelled;
    own_ = templates_.status(well ? GrpcStatus::ok : status).bytes();
    SpanFields more;
    if (stream->immediate_status != 0)
      more.attribute("extproc.immediate_status", stream->immediate_status);
    if (stream->phases > kMostPhases)
      more.attribute("extproc.phases_left_out", stream->phases - kMostPhases);
    own_ += more.bytes();
    add({.context = stream->context,
         .parent = stream->has_parent ? &stream->parent : nullptr,
         .parent_is_remote = stream->has_parent,
         .start = stream->start,
         .end = stream->now(),
         .common = templates_.process().bytes(),
         .own = own_,
         .events = stream->events.bytes()});
  }
  detail::Access::set_trace(context, nullptr);
  streams_.remove(request);
}

void StreamTracer::phase_begin(const Request& request, Context& context, const Whose& whose,
                               Phase phase) {
  TracedStream* const stream = streams_.find(request);
  if (stream == nullptr || ++stream->phases > kMostPhases) return;
  const OpenSpan* const above = whose.in_chain ? stream->find_of_chain(phase) : nullptr;
  OpenSpan& span = streams_.open(*stream);
  span.context = stream->context;
  span.context.span_id = ids_.span_id();
  span.parent = above != nullptr ? above->context.span_id : stream->context.span_id;
  span.processor = whose.processor.data();
  span.in_chain = whose.in_chain;
  span.phase = phase;
  span.start = stream->now();
  span.fields = &templates_.phase(whose.processor, phase);
  detail::Access::set_trace(context, &span.context);
}

void StreamTracer::phase_end(const Request& request, Context& context, const Whose& whose,
                             Phase phase, PhaseOutcome outcome) {
  TracedStream* const stream = streams_.find(request);
  OpenSpan* const span = stream == nullptr ? nullptr : stream->find(whose, phase);
  if (span == nullptr) return;
  std::string_view own = templates_.outcome(outcome).bytes();
  if (span->immediate_status != 0) {
    SpanFields more;
    own_ = own;
    own_ += more.attribute("extproc.immediate_status", span->immediate_status).bytes();
    own = own_;
  }
  add({.context = span->context,
       .parent = &span->parent,
       .start = span->start,
       .end = stream->now(),
       .common = span->fields->bytes(),
       .own = own,
       .events = span->events.bytes()});
  // Another phase may have begun meanwhile.
  if (context.trace() == &span->context) detail::Access::set_trace(context, &stream->context);
  streams_.close(*stream, *span);
}

void StreamTracer::immediate(const Request& request, const Whose& whose, Phase phase, int status) {
  TracedStream* const stream = streams_.find(request);
  if (stream == nullptr || !stream->context.sampled()) return;
  if (!whose.in_chain) stream->immediate_status = status;
  if (OpenSpan* const span = stream->find(whose, phase)) span->immediate_status = status;
}

void StreamTracer::violation(const Request& request, const Whose& whose, Phase phase, Rule rule) {
  TracedStream* const stream = streams_.find(request);
  if (stream == nullptr || !stream->context.sampled()) return;
  OpenSpan* const span = stream->find(whose, phase);
  SpanFields& events = span != nullptr ? span->events : stream->events;
  if (events.size() < kEventBytes)
    events.event(stream->now(), "extproc.rule", "extproc.rule", to_string(rule));
}

const TraceContext* StreamTracer::trace_of(const Request& request) const {
  const TracedStream* const stream = streams_.find(request);
  return stream != nullptr && stream->is_placed ? &stream->context : nullptr;
}

void StreamTracer::add(const SpanParts& parts) {
  outbox_.add(span_size(parts), [&](char* at) { return write_span(at, parts); });
}

}  // namespace extproc::trace
