#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/access.h"
#include "exchange/tracer.h"
#include "extproc/phase.h"
#include "extproc/trace.h"
#include "trace/span_encoder.h"

namespace extproc::trace {

/// The span of a phase whose handler runs.
struct OpenSpan {
  TraceContext context;
  TraceContext::SpanId parent{};
  /// Whose phase it is: names are where their processors have them.
  const char* processor = nullptr;
  bool in_chain = false;
  Phase phase{};
  int immediate_status = 0;
  std::uint64_t start = 0;
  const SpanFields* fields = nullptr;
  SpanFields events{};
  OpenSpan* next = nullptr;
};

/// What is kept of a stream until it ends.
struct TracedStream {
  using Clock = std::chrono::steady_clock;

  /// Of its span; where that is not kept, what is passed on.
  TraceContext context;
  /// It is known where in which trace it is.
  bool is_placed = false;
  bool has_parent = false;
  std::uint32_t phases = 0;
  int immediate_status = 0;
  TraceContext::SpanId parent{};
  std::uint64_t start = 0;
  std::chrono::nanoseconds since_1970{0};  // of the steady clock's beginning
  OpenSpan* open = nullptr;
  std::string state{};
  SpanFields events{};

  void begin_now() {
    const auto now = Clock::now().time_since_epoch();
    since_1970 = std::chrono::system_clock::now().time_since_epoch() - now;
    start = static_cast<std::uint64_t>((now + since_1970).count());
  }
  /// In nanoseconds since 1970; it goes forward, whatever becomes of the system's time.
  std::uint64_t now() const {
    return static_cast<std::uint64_t>((Clock::now().time_since_epoch() + since_1970).count());
  }

  /// Null where there is none.
  OpenSpan* find(const exchange::Whose& whose, Phase phase) const {
    OpenSpan* each = open;
    while (each != nullptr && (each->phase != phase || each->in_chain != whose.in_chain ||
                               each->processor != whose.processor.data()))
      each = each->next;
    return each;
  }
  const OpenSpan* find_of_chain(Phase phase) const {
    const OpenSpan* each = open;
    while (each != nullptr && (each->phase != phase || each->in_chain)) each = each->next;
    return each;
  }
};

/// The streams of a thread, by their requests, and what is to be used again.
class TracedStreams {
 public:
  TracedStreams();
  ~TracedStreams();
  TracedStreams(const TracedStreams&) = delete;
  TracedStreams& operator=(const TracedStreams&) = delete;

  TracedStream& add(const Request& request) {
    auto place = static_cast<std::uint32_t>(streams_.size());
    if (!free_.empty()) {
      place = free_.back();
      free_.pop_back();
    }
    // 0 is none.
    detail::Access::trace(request) = place + 1;
    return place < streams_.size() && streams_[place] != nullptr ? *streams_[place] : make(place);
  }
  /// Null where it was not added.
  TracedStream* find(const Request& request) const {
    const std::uint32_t number = detail::Access::trace(request);
    return number == 0 ? nullptr : streams_[number - 1].get();
  }
  /// With the spans that are open.
  void remove(const Request& request) {
    const std::uint32_t place = std::exchange(detail::Access::trace(request), 0U) - 1;
    TracedStream& stream = *streams_[place];
    if (stream.context.sampled()) forget_kept(stream);
    stream.is_placed = false;
    if (free_.size() >= kSpareStreams) streams_[place].reset();
    free_.push_back(place);
  }

  /// The last of the stream's open ones.
  OpenSpan& open(TracedStream& stream);
  void close(TracedStream& stream, OpenSpan& span);

 private:
  /// Kept for later ones.
  static constexpr std::size_t kSpareStreams = 4096;

  TracedStream& make(std::uint32_t place);
  void forget_kept(TracedStream& stream);

  std::vector<std::unique_ptr<TracedStream>> streams_;
  std::vector<std::uint32_t> free_;  // places among those
  std::vector<std::unique_ptr<OpenSpan>> spare_;
};

}  // namespace extproc::trace
