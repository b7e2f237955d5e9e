#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <random>

#include "extproc/trace.h"
#include "trace/hex.h"

namespace extproc::trace {

/// Makes ids that are as good as unique. One thread at a time.
class IdGenerator {
 public:
  /// From what the system has of randomness.
  IdGenerator() {
    std::random_device system;
    std::seed_seq seed{system(), system(), system(), system(),
                       system(), system(), system(), system()};
    engine_.seed(seed);
  }
  /// The same ones each time.
  explicit IdGenerator(std::uint64_t seed) : engine_(seed) {}

  TraceContext::TraceId trace_id() {
    const std::array<std::uint64_t, 2> words{engine_(), engine_()};
    const auto id = std::bit_cast<TraceContext::TraceId>(words);
    return is_set(id) ? id : trace_id();
  }
  TraceContext::SpanId span_id() {
    const auto id = std::bit_cast<TraceContext::SpanId>(std::uint64_t{engine_()});
    return is_set(id) ? id : span_id();
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace extproc::trace
