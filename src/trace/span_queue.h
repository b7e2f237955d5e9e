#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace extproc::trace {

/// Spans as they are sent, one behind the other.
struct SpanBuffer {
  static constexpr std::size_t kBytes = std::size_t{32} << 10;

  std::size_t room() const { return kBytes - size; }

  SpanBuffer* next = nullptr;
  std::size_t size = 0;
  std::size_t spans = 0;
  // Not set to anything: it is written before it is read.
  std::array<char, kBytes> bytes;
};

/// How it went with spans so far.
struct Figures {
  std::uint64_t sent = 0;
  /// Nobody took them in time, or they were refused.
  std::uint64_t dropped = 0;
};

/// Buffers of spans on their way from the threads that have spans to the one that sends them; no
/// lock where there are spans. What waits is bounded, and what is too much is dropped and counted.
class SpanQueue {
 public:
  using Buffers = std::vector<std::unique_ptr<SpanBuffer>>;

  struct Bounds {
    std::size_t bytes;
    std::size_t spans;
    /// So many are to be sent at once.
    std::size_t batch;
  };

  /// `wake` is called by the thread that has brought the queue to a batch; it must be quick.
  SpanQueue(Bounds bounds, std::function<void()> wake) : bounds_(bounds), wake_(std::move(wake)) {}
  ~SpanQueue();
  SpanQueue(const SpanQueue&) = delete;
  SpanQueue& operator=(const SpanQueue&) = delete;

  /// Any thread.
  void put(std::unique_ptr<SpanBuffer> buffer);
  /// All that wait, oldest first, and what the writers have begun. They count as waiting until
  /// done() is told of them. One thread at a time.
  Buffers take();
  /// What was taken was sent, but for `dropped` spans.
  void done(const SpanBuffer& buffer, std::size_t dropped = 0);

  bool has_batch() const { return spans_.load(std::memory_order_relaxed) >= bounds_.batch; }
  Figures figures() const {
    return {sent_.load(std::memory_order_relaxed), dropped_.load(std::memory_order_relaxed)};
  }
  void count_dropped(std::size_t spans) { dropped_.fetch_add(spans, std::memory_order_relaxed); }

 private:
  friend class SpanOutbox;
  /// Where a writer leaves what it has begun; whoever takes it out has it.
  struct alignas(64) Place {
    std::atomic<SpanBuffer*> begun{nullptr};
  };

  void add(Place& place);
  void remove(Place& place);

  const Bounds bounds_;
  const std::function<void()> wake_;
  std::atomic<SpanBuffer*> waiting_{nullptr};  // the newest
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> spans_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex places_mutex_;
  std::vector<Place*> places_;
};

/// Where one thread puts its spans.
class SpanOutbox {
 public:
  /// The queue must outlive it.
  explicit SpanOutbox(SpanQueue& queue) : queue_(queue) { queue_.add(place_); }
  /// What it has begun is sent as well.
  ~SpanOutbox() { queue_.remove(place_); }
  SpanOutbox(const SpanOutbox&) = delete;
  SpanOutbox& operator=(const SpanOutbox&) = delete;

  /// `write(at)` writes one span of exactly `size` bytes and returns the place behind it. One that
  /// is larger than a buffer is dropped.
  template <class Write>
  void add(std::size_t size, const Write& write) {
    if (size > SpanBuffer::kBytes) return queue_.count_dropped(1);
    std::unique_ptr<SpanBuffer> buffer = begun();
    if (buffer != nullptr && buffer->room() < size) queue_.put(std::move(buffer));
    // Its bytes stay as they are.
    if (buffer == nullptr) buffer.reset(new SpanBuffer);
    write(buffer->bytes.data() + buffer->size);
    buffer->size += size;
    ++buffer->spans;
    if (buffer->spans >= queue_.bounds_.batch) return queue_.put(std::move(buffer));
    place_.begun.store(buffer.release(), std::memory_order_release);
  }

 private:
  std::unique_ptr<SpanBuffer> begun() {
    return std::unique_ptr<SpanBuffer>(place_.begun.exchange(nullptr, std::memory_order_acquire));
  }

  SpanQueue& queue_;
  SpanQueue::Place place_;
};

}  // namespace extproc::trace
