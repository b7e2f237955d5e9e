#include "trace/span_queue.h"

#include <algorithm>

namespace extproc::trace {

SpanQueue::~SpanQueue() { take(); }

void SpanQueue::put(std::unique_ptr<SpanBuffer> buffer) {
  // Others may add at the same time: what is too much goes back.
  const std::size_t bytes = bytes_.fetch_add(sizeof *buffer) + sizeof *buffer;
  const std::size_t spans = spans_.fetch_add(buffer->spans) + buffer->spans;
  if (bytes > bounds_.bytes || (bounds_.spans != 0 && spans > bounds_.spans))
    return done(*buffer, buffer->spans);
  SpanBuffer* const added = buffer.release();
  const std::size_t its_spans = added->spans;
  added->next = waiting_.load(std::memory_order_relaxed);
  while (!waiting_.compare_exchange_weak(added->next, added, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
  if (spans >= bounds_.batch && spans - its_spans < bounds_.batch) wake_();
}

SpanQueue::Buffers SpanQueue::take() {
  Buffers taken;
  SpanBuffer* next = waiting_.exchange(nullptr, std::memory_order_acquire);
  while (next != nullptr) {
    taken.emplace_back(next);
    next = next->next;
  }
  std::ranges::reverse(taken);
  const std::lock_guard lock(places_mutex_);
  for (Place* place : places_) {
    SpanBuffer* const begun = place->begun.exchange(nullptr, std::memory_order_acquire);
    if (begun == nullptr) continue;
    bytes_.fetch_add(sizeof *begun);
    spans_.fetch_add(begun->spans);
    taken.emplace_back(begun);
  }
  return taken;
}

void SpanQueue::done(const SpanBuffer& buffer, std::size_t dropped) {
  bytes_.fetch_sub(sizeof buffer);
  spans_.fetch_sub(buffer.spans);
  sent_.fetch_add(buffer.spans - dropped, std::memory_order_relaxed);
  count_dropped(dropped);
}

void SpanQueue::add(Place& place) {
  const std::lock_guard lock(places_mutex_);
  places_.push_back(&place);
}

void SpanQueue::remove(Place& place) {
  {
    const std::lock_guard lock(places_mutex_);
    std::erase(places_, &place);
  }
  if (SpanBuffer* const begun = place.begun.exchange(nullptr, std::memory_order_acquire))
    put(std::unique_ptr<SpanBuffer>(begun));
}

}  // namespace extproc::trace
