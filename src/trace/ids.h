#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <random>

#include "extproc/trace.h"

namespace extproc::trace {

/// Makes ids that are as good as unique. One thread at a time.
class IdGenerator {
 public:
  /// From what the system has of randomness.
  IdGenerator() {
    std::random_device system;
    for (Sequence& each : sequences_) each.state = std::uint64_t{system()} << 32 | system();
  }
  /// The same ones each time.
  explicit IdGenerator(std::uint64_t seed) {
    for (Sequence& each : sequences_) each.state = seed++;
  }

  TraceContext::TraceId trace_id() {
    return std::bit_cast<TraceContext::TraceId>(
        std::array<std::uint64_t, 2>{sequences_[0].next(), sequences_[1].next()});
  }
  TraceContext::SpanId span_id() {
    return std::bit_cast<TraceContext::SpanId>(sequences_[2].next());
  }

 private:
  /// SplitMix64, which is as quick as it gets; an id that is all zero is none, and left out.
  struct Sequence {
    std::uint64_t state = 0;

    std::uint64_t next() {
      std::uint64_t word = 0;
      do {
        word = state += 0x9e3779b97f4a7c15;
        word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
        word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
        word ^= word >> 31;
      } while (word == 0);
      return word;
    }
  };

  /// Of the two halves of trace ids, and of span ids, so that none tells of the others.
  std::array<Sequence, 3> sequences_;
};

}  // namespace extproc::trace
