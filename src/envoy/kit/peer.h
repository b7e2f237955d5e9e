#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace extproc::testing::envoy {

/// What the processor's end of the stream did.
struct PeerEvent {
  /// A reply; else the end of the stream.
  bool is_reply = true;
  /// A serialised ProcessingResponse.
  std::string bytes{};
  int grpc_status = 0;
  std::string grpc_message{};
};

/// The other end of the gRPC stream. One exchange at a time.
class ProcessorPeer {
 public:
  using Time = std::chrono::nanoseconds;

  virtual ~ProcessorPeer() = default;
  /// Envoy opens the stream. It was not open, or has ended.
  virtual void open(Time now) = 0;
  /// A serialised ProcessingRequest.
  virtual void send(std::string message, Time now) = 0;
  /// Envoy ended the stream: nothing more is wanted.
  virtual void close() = 0;
  /// What comes next of what has come until `now`. Where work is under way that needs real time, it
  /// waits for it, for `limit` at the longest, and adds that to `now`; where `more` of the exchange
  /// is there, not for what only that can bring about in time.
  virtual std::optional<PeerEvent> next(Time& now, Time limit, bool more) = 0;
  /// When something comes by itself.
  virtual std::optional<Time> next_time() const { return std::nullopt; }
  /// Everything that was started has ended.
  virtual void finish() {}
};

}  // namespace extproc::testing::envoy
