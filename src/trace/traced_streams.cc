#include "trace/traced_streams.h"

#include <cstddef>
#include <utility>

#include "base/access.h"

namespace extproc::trace {
namespace {

/// Kept for later ones.
constexpr std::size_t kSpareStreams = 4096;
constexpr std::size_t kSpareSpans = 4096;
constexpr std::size_t kKeptEventBytes = 512;

void forget(SpanFields& fields) {
  if (fields.size() > kKeptEventBytes) fields = {};
  fields.clear();
}

}  // namespace

TracedStreams::TracedStreams() = default;

TracedStreams::~TracedStreams() {
  for (const auto& stream : streams_) {
    while (stream != nullptr && stream->open != nullptr) close(*stream, *stream->open);
  }
}

TracedStream& TracedStreams::add(const Request& request) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(streams_.size()));
    streams_.push_back(nullptr);
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  auto& stream = streams_[place];
  if (stream == nullptr) stream = std::make_unique<TracedStream>();
  // 0 is none.
  detail::Access::trace(request) = place + 1;
  return *stream;
}

TracedStream* TracedStreams::find(const Request& request) const {
  const std::uint32_t number = detail::Access::trace(request);
  return number == 0 ? nullptr : streams_[number - 1].get();
}

void TracedStreams::remove(const Request& request) {
  const std::uint32_t place = std::exchange(detail::Access::trace(request), 0U) - 1;
  auto& stream = streams_[place];
  while (stream->open != nullptr) close(*stream, *stream->open);
  if (free_.size() >= kSpareStreams) {
    stream.reset();
  } else {
    if (stream->context.sampled()) {
      stream->context.flags = 0;
      stream->phases = 0;
      stream->immediate_status = 0;
      forget(stream->events);
    }
    stream->is_placed = false;
  }
  free_.push_back(place);
}

OpenSpan& TracedStreams::open(TracedStream& stream) {
  std::unique_ptr<OpenSpan> span;
  if (spare_.empty()) {
    span = std::make_unique<OpenSpan>();
  } else {
    span = std::move(spare_.back());
    spare_.pop_back();
  }
  span->next = stream.open;
  stream.open = span.get();
  return *span.release();
}

void TracedStreams::close(TracedStream& stream, OpenSpan& span) {
  OpenSpan** place = &stream.open;
  while (*place != &span) place = &(*place)->next;
  *place = span.next;
  std::unique_ptr<OpenSpan> closed(&span);
  span.immediate_status = 0;
  forget(span.events);
  if (spare_.size() < kSpareSpans) spare_.push_back(std::move(closed));
}

}  // namespace extproc::trace
