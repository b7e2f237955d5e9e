#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "envoy/kit/pipe.h"
#include "envoy/modes.h"
#include "extproc/phase.h"

namespace extproc::testing::envoy {

using envoy_config::ProcessingMode;

/// Virtual time since the exchange began.
using Time = std::chrono::nanoseconds;

/// Which answer a direction waits for.
enum class Waiting : std::uint8_t {
  nothing,
  headers,
  buffered_body,
  streamed_body,
  partial_body,
  trailers
};

/// Body data that the processor has, or will get, and that has not gone on yet.
class ChunkQueue {
 public:
  struct Chunk {
    std::string data;
    bool end = false;
  };

  bool empty() const { return chunks_.empty(); }
  std::size_t bytes() const;
  void push(std::string data, bool end) { chunks_.push_back({std::move(data), end}); }
  Chunk pop();
  const Chunk& front() const { return chunks_.front(); }
  /// Makes it one chunk, which ends where the last one did.
  const Chunk& join();
  void clear() { chunks_.clear(); }

 private:
  std::deque<Chunk> chunks_;
};

/// What the filter knows of one direction of an exchange.
struct Direction {
  Side side = Side::request;
  Phase headers_phase = Phase::request_headers;
  Phase body_phase = Phase::request_body;
  Phase trailers_phase = Phase::request_trailers;

  bool send_headers = true;
  bool send_trailers = false;
  BodySendMode body_mode = BodySendMode::none;

  Waiting waiting = Waiting::nothing;
  /// Stopped, so that it has to be resumed.
  bool paused = false;
  bool no_body = false;
  bool body_complete = false;
  bool body_received = false;
  bool body_replaced = false;
  bool partial_done = false;
  /// Headers and trailers are here and can still be changed.
  bool headers_open = false;
  bool trailers_open = false;
  bool trailers_sent = false;
  bool attributes_sent = false;
  /// What was answered last can have nothing after it.
  bool answered = false;
  ChunkQueue queue;

  /// When the message time-out runs out.
  std::optional<Time> timer;
  bool extended = false;

  void set_mode(const ProcessingMode& mode);
  bool handles_nothing() const {
    return !send_headers && !send_trailers && body_mode == BodySendMode::none;
  }
  bool full_duplex() const { return body_mode == BodySendMode::full_duplex_streamed; }
  void finish(Waiting next = Waiting::nothing) {
    timer.reset();
    waiting = next;
    extended = false;
  }
};

Direction make_direction(Side side, const ProcessingMode& mode);

}  // namespace extproc::testing::envoy
