#pragma once

#include <atomic>
#include <cstdint>

namespace extproc {

/// A counter that one thread writes and any thread reads.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.store(value() + amount, std::memory_order_relaxed); }
  void subtract(std::uint64_t amount = 1) {
    value_.store(value() - amount, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one I/O thread counts of one processor of a chain.
struct LinkCounters {
  Counter calls;
  Counter immediate_responses;
  Counter failures;
  Counter misused_answers;
};

/// What one I/O thread counts; Server::stats() adds them up.
struct alignas(64) Counters {
  Counter connections_accepted;
  Counter connections_open;
  Counter streams_started;
  Counter streams_open;
  Counter streams_failed;
  Counter messages;
  Counter immediate_responses;
  Counter handler_failures;
  Counter malformed_messages;
  Counter misused_answers;
  Counter fallbacks;
  Counter time_extensions;
  Counter early_ends;
};

}  // namespace extproc
