#include "filter/envoy_tracer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "base/access.h"
#include "extproc/headers.h"
#include "filter/abi.h"
#include "trace/hex.h"
#include "trace/parent.h"

namespace extproc::filter {
namespace {

/// False, and all zeros, for what is no id in hexadecimal digits, as some tracers have them.
template <std::size_t N>
bool read_id(std::string_view text, std::array<std::uint8_t, N>& id) {
  if (text.size() == 2 * N && trace::read_hex(text, id)) return true;
  id = {};
  return false;
}

void read_span_id(void* span, TraceContext& context) {
  abi::Bytes text;
  if (EXTPROC_ENVOY_CALL(http_span_get_span_id)(span, &text)) read_id(text.view(), context.span_id);
}

// Envoy tells modules nothing of that: it notes in its x-request-id why a request is traced, and a
// caller's decision is in its traceparent.
bool is_recorded(std::span<const Header> headers) {
  constexpr std::size_t kReason = 14;
  constexpr std::string_view kTraced = "9ab";
  const auto id = HeaderView(headers).value("x-request-id").value_or("");
  if (id.size() > kReason && kTraced.find(id[kReason]) != std::string_view::npos) return true;
  trace::Parent parent;
  for (const Header& header : headers) parent.take(header.name, header.value);
  const auto caller = parent.context();
  return caller && caller->sampled();
}

void tag(void* span, std::string_view name, std::string_view value) {
  EXTPROC_ENVOY_CALL(http_span_set_tag)(span, abi::bytes(name), abi::bytes(value));
}

}  // namespace

/// A phase that runs.
struct EnvoyTracer::OpenSpan {
  void* span;  // null once Envoy has let go of its stream
  TraceContext context;
  const char* processor;
  bool in_chain;
  Phase phase;

  bool is_of(const exchange::Whose& whose, Phase its_phase) const {
    return processor == whose.processor.data() && in_chain == whose.in_chain && phase == its_phase;
  }
  void finish() {
    if (span != nullptr) EXTPROC_ENVOY_CALL(http_child_span_finish)(span);
    span = nullptr;
  }
};

struct EnvoyTracer::TracedStream {
  void* envoy;  // null once it is gone
  TraceContext context{};
  bool is_placed = false;
  /// At their places until they are over, which what runs in them refers to.
  std::list<OpenSpan> open{};

  OpenSpan* find(const exchange::Whose& whose, Phase phase) {
    const auto found =
        std::ranges::find_if(open, [&](const auto& s) { return s.is_of(whose, phase); });
    return found == open.end() ? nullptr : &*found;
  }
  const OpenSpan* find_of_chain(Phase phase) const {
    const auto found =
        std::ranges::find_if(open, [&](const auto& s) { return !s.in_chain && s.phase == phase; });
    return found == open.end() ? nullptr : &*found;
  }
};

EnvoyTracer::EnvoyTracer() = default;
EnvoyTracer::~EnvoyTracer() = default;

EnvoyTracer::TracedStream* EnvoyTracer::find(const Request& request) const {
  // So it is where Envoy traces nothing.
  if (streams_.empty()) return nullptr;
  const auto found = streams_.find(&request);
  return found == streams_.end() ? nullptr : found->second.get();
}

void EnvoyTracer::leave(void* envoy) {
  if (of_envoy_.empty()) return;
  const auto found = of_envoy_.find(envoy);
  if (found == of_envoy_.end()) return;
  TracedStream& stream = *found->second;
  stream.envoy = nullptr;
  for (OpenSpan& each : stream.open) each.finish();
  of_envoy_.erase(found);
}

exchange::Traced EnvoyTracer::begin(const Request& request, Context& /*context*/) {
  if (EXTPROC_ENVOY_CALL(http_get_active_span)(next_) == nullptr) return exchange::Traced::no;
  auto& stream = streams_[&request];
  stream = std::make_unique<TracedStream>(TracedStream{.envoy = next_});
  of_envoy_[next_] = stream.get();
  return exchange::Traced::undecided;
}

bool EnvoyTracer::decide(const Request& request, Context& context,
                         std::span<const Header> headers) {
  TracedStream* const stream = find(request);
  void* const span = stream == nullptr || stream->envoy == nullptr
                         ? nullptr
                         : EXTPROC_ENVOY_CALL(http_get_active_span)(stream->envoy);
  if (span == nullptr) return false;
  abi::Bytes text;
  if (EXTPROC_ENVOY_CALL(http_span_get_trace_id)(span, &text) &&
      read_id(text.view(), stream->context.trace_id)) {
    read_span_id(span, stream->context);
    if (is_recorded(headers)) stream->context.flags = TraceContext::kSampled;
    stream->is_placed = true;
    detail::Access::set_trace(context, &stream->context);
  }
  return true;
}

void EnvoyTracer::end(const Request& request, Context& context, GrpcStatus /*status*/,
                      bool /*cancelled*/, bool /*owed*/) {
  TracedStream* const stream = find(request);
  if (stream == nullptr) return;
  for (OpenSpan& each : stream->open) each.finish();
  if (stream->envoy != nullptr) of_envoy_.erase(stream->envoy);
  detail::Access::set_trace(context, nullptr);
  streams_.erase(&request);
}

void EnvoyTracer::phase_begin(const Request& request, Context& context,
                              const exchange::Whose& whose, Phase phase) {
  TracedStream* const stream = find(request);
  if (stream == nullptr || stream->envoy == nullptr) return;
  const OpenSpan* const above = whose.in_chain ? stream->find_of_chain(phase) : nullptr;
  void* const parent = above != nullptr && above->span != nullptr
                           ? above->span
                           : EXTPROC_ENVOY_CALL(http_get_active_span)(stream->envoy);
  if (parent == nullptr) return;
  const std::string name = "process." + std::string(to_string(phase));
  void* const span =
      EXTPROC_ENVOY_CALL(http_span_spawn_child)(stream->envoy, parent, abi::bytes(name));
  if (span == nullptr) return;
  tag(span, "extproc.processor", whose.processor);
  tag(span, "extproc.phase", to_string(phase));
  OpenSpan& open = stream->open.emplace_back(OpenSpan{.span = span,
                                                      .context = stream->context,
                                                      .processor = whose.processor.data(),
                                                      .in_chain = whose.in_chain,
                                                      .phase = phase});
  if (!stream->is_placed) return;
  read_span_id(span, open.context);
  detail::Access::set_trace(context, &open.context);
}

void EnvoyTracer::phase_end(const Request& request, Context& context, const exchange::Whose& whose,
                            Phase phase, PhaseOutcome outcome) {
  TracedStream* const stream = find(request);
  OpenSpan* const open = stream == nullptr ? nullptr : stream->find(whose, phase);
  if (open == nullptr) return;
  if (open->span != nullptr) {
    tag(open->span, "extproc.outcome", to_string(outcome));
    if (outcome == PhaseOutcome::failed) tag(open->span, "error", "true");
    open->finish();
  }
  // Another phase may have begun meanwhile.
  if (context.trace() == &open->context)
    detail::Access::set_trace(context, stream->is_placed ? &stream->context : nullptr);
  stream->open.remove_if([&](const OpenSpan& each) { return &each == open; });
}

void EnvoyTracer::immediate(const Request& request, const exchange::Whose& whose, Phase phase,
                            int status) {
  TracedStream* const stream = find(request);
  OpenSpan* const open = stream == nullptr ? nullptr : stream->find(whose, phase);
  if (open != nullptr && open->span != nullptr)
    tag(open->span, "extproc.immediate_status", std::to_string(status));
}

void EnvoyTracer::violation(const Request& request, const exchange::Whose& whose, Phase phase,
                            Rule rule) {
  TracedStream* const stream = find(request);
  if (stream == nullptr || stream->envoy == nullptr) return;
  const OpenSpan* const open = stream->find(whose, phase);
  if (open != nullptr && open->span != nullptr) tag(open->span, "extproc.rule", to_string(rule));
}

const TraceContext* EnvoyTracer::trace_of(const Request& request) const {
  const TracedStream* const stream = find(request);
  return stream != nullptr && stream->is_placed ? &stream->context : nullptr;
}

}  // namespace extproc::filter
