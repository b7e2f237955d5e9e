#include "trace/stream_tracer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/access.h"
#include "trace/parent.h"

namespace extproc::trace {
namespace {

using Clock = std::chrono::steady_clock;
using exchange::Traced;
using exchange::Whose;

constexpr std::size_t kSpareStreams = 4096;
constexpr std::size_t kSpareSpans = 4096;
/// Of the events of one span.
constexpr std::size_t kEventBytes = 2048;
/// What a string may keep for the next use.
constexpr std::size_t kKeptBytes = 512;

std::uint64_t nanoseconds(Clock::time_point time, std::chrono::nanoseconds since_1970) {
  return static_cast<std::uint64_t>((time.time_since_epoch() + since_1970).count());
}

/// Of the steady clock's beginning.
std::chrono::nanoseconds beginning_of_time(Clock::time_point now) {
  return std::chrono::system_clock::now().time_since_epoch() - now.time_since_epoch();
}

// What the conventions of RPCs take for an error of a server's.
bool is_error(GrpcStatus status) {
  switch (status) {
    case GrpcStatus::unknown:
    case GrpcStatus::deadline_exceeded:
    case GrpcStatus::unimplemented:
    case GrpcStatus::internal:
    case GrpcStatus::unavailable:
    case GrpcStatus::data_loss:
      return true;
    default:
      return false;
  }
}

void forget(SpanFields& fields) {
  fields.size() > kKeptBytes ? static_cast<void>(fields = {}) : fields.clear();
}

}  // namespace

/// The span of a phase whose handler runs.
struct StreamTracer::OpenSpan {
  TraceContext context;
  TraceContext::SpanId parent{};
  /// Whose phase it is: names are where their processors have them.
  const char* processor = nullptr;
  bool in_chain = false;
  Phase phase{};
  std::uint64_t start = 0;
  const SpanFields* fields = nullptr;
  int immediate_status = 0;
  SpanFields events{};
  OpenSpan* next = nullptr;
};

/// What is kept of a stream until it ends.
struct StreamTracer::Stream {
  /// Of its span; where that is not kept, what is passed on.
  TraceContext context;
  bool is_placed = false;
  bool has_parent = false;
  std::uint32_t phases = 0;
  int immediate_status = 0;
  TraceContext::SpanId parent{};
  std::uint64_t start = 0;
  std::chrono::nanoseconds since_1970{0};
  OpenSpan* open = nullptr;
  std::string state{};
  SpanFields events{};

  std::uint64_t now() const { return nanoseconds(Clock::now(), since_1970); }
  OpenSpan* find(const Whose& whose, Phase phase) const {
    OpenSpan* each = open;
    while (each != nullptr && (each->phase != phase || each->in_chain != whose.in_chain ||
                               each->processor != whose.processor.data()))
      each = each->next;
    return each;
  }
  const OpenSpan* of_chain(Phase phase) const {
    const OpenSpan* each = open;
    while (each != nullptr && (each->phase != phase || each->in_chain)) each = each->next;
    return each;
  }
};

StreamTracer::StreamTracer(std::shared_ptr<Exporter> exporter, const TraceSettings& settings,
                           std::string_view processor)
    : exporter_(std::move(exporter)),
      outbox_(exporter_->queue()),
      sampler_(settings.sampler, settings.ratio) {
  set_up(processor);
}

StreamTracer::StreamTracer(SpanQueue& queue, const TraceSettings& settings,
                           std::string_view processor, std::uint64_t seed)
    : outbox_(queue), sampler_(settings.sampler, settings.ratio), ids_(seed) {
  set_up(processor);
}

StreamTracer::~StreamTracer() = default;

void StreamTracer::set_up(std::string_view processor) {
  of_process_.name("process")
      .kind(SpanKind::server)
      .attribute("rpc.system.name", "grpc")
      .attribute("rpc.method", "envoy.service.ext_proc.v3.ExternalProcessor/Process")
      .attribute("extproc.processor", processor);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<PhaseOutcome>(i);
    of_outcome_[i].attribute("extproc.outcome", to_string(outcome));
    if (outcome == PhaseOutcome::failed) of_outcome_[i].error("the handler failed");
  }
  for (std::size_t i = 0; i < kStatuses; ++i) {
    const auto status = static_cast<GrpcStatus>(i);
    of_status_[i].attribute("rpc.response.status_code", to_string(status));
    if (!is_error(status)) continue;
    of_status_[i].attribute("error.type", to_string(status)).error({});
  }
}

Traced StreamTracer::begin(const Request& request, Context& context) {
  Stream& stream = take_stream(request);
  Parent parent;
  if (const detail::CallInfo* call = detail::Access::call(context)) {
    const std::size_t size = call->metadata_size();
    for (std::size_t i = 0; i < size; ++i) {
      const auto [name, value] = call->metadata_at(i);
      parent.take(name, value);
    }
  }
  const auto found = parent.context();
  // Where the call has none its first message may.
  if (!found) return Traced::undecided;
  const bool kept = place(stream, found);
  detail::Access::set_trace(context, &stream.context);
  return kept ? Traced::yes : Traced::no;
}

bool StreamTracer::decide(const Request& request, Context& context,
                          std::span<const Header> headers) {
  Stream& stream = *stream_of(request);
  Parent parent;
  for (const Header& header : headers) parent.take(header.name, header.value);
  const bool kept = place(stream, parent.context());
  detail::Access::set_trace(context, &stream.context);
  return kept;
}

// Where it is in which trace; whether its spans are kept.
bool StreamTracer::place(Stream& stream, const std::optional<TraceContext>& parent) {
  stream.is_placed = true;
  stream.has_parent = parent.has_value();
  TraceContext& context = stream.context;
  if (parent) {
    context = *parent;
    stream.parent = parent->span_id;
    stream.state = parent->tracestate;
    context.tracestate = stream.state;
  } else {
    context = {.trace_id = ids_.trace_id()};
  }
  const auto of_parent = parent ? std::optional(parent->sampled()) : std::nullopt;
  const bool kept = sampler_.samples(context.trace_id, of_parent);
  context.flags &= static_cast<std::uint8_t>(~TraceContext::kSampled);
  if (kept || !parent) context.span_id = ids_.span_id();
  if (!kept) return false;
  context.flags |= TraceContext::kSampled;
  const auto now = Clock::now();
  stream.since_1970 = beginning_of_time(now);
  stream.start = nanoseconds(now, stream.since_1970);
  return true;
}

void StreamTracer::end(const Request& request, Context& context, GrpcStatus status, bool cancelled,
                       bool owed) {
  Stream* const stream = stream_of(request);
  if (stream == nullptr) return;
  // No message came.
  if (!stream->is_placed) place(*stream, std::nullopt);
  if (stream->context.sampled()) {
    // A peer that ends its stream when it is owed nothing ends it well.
    const bool well = cancelled && !owed && status == GrpcStatus::cancelled;
    own_ = of_status_[static_cast<std::size_t>(well ? GrpcStatus::ok : status)].bytes();
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
         .common = of_process_.bytes(),
         .own = own_,
         .events = stream->events.bytes()});
  }
  detail::Access::set_trace(context, nullptr);
  release(request, *stream);
}

void StreamTracer::phase_begin(const Request& request, Context& context, const Whose& whose,
                               Phase phase) {
  Stream* const stream = stream_of(request);
  if (stream == nullptr || ++stream->phases > kMostPhases) return;
  OpenSpan* const span = take_span();
  span->context = stream->context;
  span->context.span_id = ids_.span_id();
  const OpenSpan* const above = whose.in_chain ? stream->of_chain(phase) : nullptr;
  span->parent = above != nullptr ? above->context.span_id : stream->context.span_id;
  span->processor = whose.processor.data();
  span->in_chain = whose.in_chain;
  span->phase = phase;
  span->start = stream->now();
  span->fields = &fields_of(whose.processor, phase);
  span->immediate_status = 0;
  span->next = std::exchange(stream->open, span);
  detail::Access::set_trace(context, &span->context);
}

void StreamTracer::phase_end(const Request& request, Context& context, const Whose& whose,
                             Phase phase, PhaseOutcome outcome) {
  Stream* const stream = stream_of(request);
  OpenSpan* const span = stream == nullptr ? nullptr : stream->find(whose, phase);
  if (span == nullptr) return;
  std::string_view own = of_outcome_[static_cast<std::size_t>(outcome)].bytes();
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
  give_back(*stream, span);
}

void StreamTracer::immediate(const Request& request, const Whose& whose, Phase phase, int status) {
  Stream* const stream = stream_of(request);
  if (stream == nullptr || !stream->context.sampled()) return;
  if (!whose.in_chain) stream->immediate_status = status;
  if (OpenSpan* const span = stream->find(whose, phase)) span->immediate_status = status;
}

void StreamTracer::violation(const Request& request, const Whose& whose, Phase phase, Rule rule) {
  Stream* const stream = stream_of(request);
  if (stream == nullptr || !stream->context.sampled()) return;
  OpenSpan* const span = stream->find(whose, phase);
  SpanFields& events = span != nullptr ? span->events : stream->events;
  if (events.size() < kEventBytes)
    events.event(stream->now(), "extproc.rule", "extproc.rule", to_string(rule));
}

const TraceContext* StreamTracer::trace_of(const Request& request) const {
  const Stream* const stream = stream_of(request);
  return stream != nullptr && stream->is_placed ? &stream->context : nullptr;
}

StreamTracer::Stream* StreamTracer::stream_of(const Request& request) const {
  const std::uint32_t number = detail::Access::trace(request);
  return number == 0 ? nullptr : streams_[number - 1].get();
}

StreamTracer::Stream& StreamTracer::take_stream(const Request& request) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(streams_.size()));
    streams_.push_back(nullptr);
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  auto& stream = streams_[place];
  if (stream == nullptr) stream = std::make_unique<Stream>();
  detail::Access::trace(request) = place + 1;
  return *stream;
}

void StreamTracer::release(const Request& request, Stream& stream) {
  while (stream.open != nullptr) give_back(stream, stream.open);
  const std::uint32_t place = std::exchange(detail::Access::trace(request), 0U) - 1;
  if (free_.size() >= kSpareStreams) {
    streams_[place].reset();
  } else {
    stream.is_placed = false;
    stream.context.flags = 0;
    stream.phases = 0;
    stream.immediate_status = 0;
    stream.state.clear();
    forget(stream.events);
  }
  free_.push_back(place);
}

StreamTracer::OpenSpan* StreamTracer::take_span() {
  if (spare_.empty()) return new OpenSpan;
  OpenSpan* const span = spare_.back().release();
  spare_.pop_back();
  return span;
}

void StreamTracer::give_back(Stream& stream, OpenSpan* span) {
  OpenSpan** place = &stream.open;
  while (*place != span) place = &(*place)->next;
  *place = span->next;
  std::unique_ptr<OpenSpan> returned(span);
  forget(returned->events);
  if (spare_.size() < kSpareSpans) spare_.push_back(std::move(returned));
}

const SpanFields& StreamTracer::fields_of(std::string_view processor, Phase phase) {
  const auto place = static_cast<std::size_t>(phase);
  for (const auto& each : of_processors_) {
    if (each->name.data() == processor.data()) return each->phases[place];
  }
  auto& made = of_processors_.emplace_back(std::make_unique<ProcessorFields>());
  made->name = processor;
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    const std::string_view name = to_string(static_cast<Phase>(i));
    made->phases[i]
        .name("process." + std::string(name))
        .kind(SpanKind::internal)
        .attribute("extproc.processor", processor)
        .attribute("extproc.phase", name);
  }
  return made->phases[place];
}

void StreamTracer::add(const SpanParts& parts) {
  outbox_.add(span_size(parts), [&](char* at) { return write_span(at, parts); });
}

}  // namespace extproc::trace
