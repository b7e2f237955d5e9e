#include "trace/traced_streams.h"

#include <cstddef>
#include <utility>

#include "base/access.h"

namespace extproc::trace {
namespace {

/// Kept for later ones.
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

TracedStream& TracedStreams::make(std::uint32_t place) {
  if (place == streams_.size()) streams_.push_back(nullptr);
  streams_[place] = std::make_unique<TracedStream>();
  return *streams_[place];
}

void TracedStreams::forget_kept(TracedStream& stream) {
  while (stream.open != nullptr) close(stream, *stream.open);
  stream.context.flags = 0;
  stream.phases = 0;
  stream.immediate_status = 0;
  forget(stream.events);
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
