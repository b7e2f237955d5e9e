#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "extproc/limits.h"
#include "extproc/peer_certificate.h"
#include "grpc/buffer_pool.h"
#include "grpc/call.h"
#include "grpc/deadline_wheel.h"
#include "http2/output.h"

namespace extproc::grpc {

/// False ends the visit.
using CallVisitor = std::function<bool(const Call&, const CallHandler&)>;

/// A gRPC server's side of one HTTP/2 connection: bytes in, calls to the services, bytes out. It
/// does no I/O: whoever owns the socket hands in what was read, and takes what is to be written
/// when the socket is ready for it. One thread.
///
/// The owner should not read on while it has much left to write: a peer that goes on sending and
/// does not read what it is answered (settings and pings acknowledged, resets) is ended.
class Connection {
 public:
  /// `limits`, `services`, `deadlines` and `buffers` must outlive it. `on_output` is called when
  /// bytes are waiting that were not there before, or messages for their turn, and neither
  /// receive() nor take_output() is under way (an asynchronous answer, a deadline), and not again
  /// before take_output(). It may be called inside of a handler's own call to its Call, so it must
  /// only note that output is to be taken (post it), never call the connection. A new connection
  /// has output (its SETTINGS) without being told.
  Connection(const Limits& limits, std::span<GrpcService* const> services, DeadlineWheel& deadlines,
             BufferPool& buffers, std::string peer, std::function<void()> on_output);
  /// Every open call hears on_closed(connection_lost).
  ~Connection();

  /// Takes bytes from the peer. Handlers run inside. `now` is the time for deadlines. False when
  /// the connection is to be closed once what waits is written: a protocol error, which error()
  /// tells.
  bool receive(std::string_view bytes, Clock::time_point now);

  /// Appends at most about `max` bytes (one frame of DATA more, and all other frames) that are to
  /// be written. Fewer than `max` mean that nothing waits. Calls that end hear on_closed inside,
  /// and messages that waited for a slow reader may be delivered.
  void take_output(http2::Output& out, std::size_t max);

  /// For calls that begin from then on.
  void set_peer_certificate(std::shared_ptr<const PeerCertificate> certificate);

  /// True when nothing more will come or go: close the socket after the last write.
  bool finished() const;
  /// The peer has sent its preface and settings.
  bool established() const;
  /// Frees what is only kept for streams that come, unless one is open: for a connection that has
  /// had none for a while.
  void give_back();
  /// All that it holds for its peer, in bytes; take_output() tells that to the account of the
  /// thread, and where none is taken, this.
  std::size_t held_bytes() const;
  void tell_held();
  /// Streams open now.
  std::size_t open_streams() const;
  /// Those of them that are being handled. Must not change any.
  void visit_calls(const CallVisitor& visit) const;
  /// As http2::Session has them.
  std::optional<Clock::time_point> incomplete_since() const;
  std::uint64_t progress() const;
  /// Answers wait for the peer to take them. Asks each call.
  bool answers_wait() const;
  /// Ends it: GOAWAY with ENHANCE_YOUR_CALM, after which nothing else is read or written.
  void terminate(std::string_view reason);
  /// Why the connection is to be closed, for the log; empty when nothing is wrong.
  std::string_view error() const;

  /// Begins a graceful end: GOAWAY with the highest stream id, and a PING whose answer tells that
  /// the peer has seen it.
  void begin_shutdown();
  /// The answer to that PING has come.
  bool shutdown_seen() const;
  /// The final GOAWAY: streams that the peer opens from now on are ignored; open ones go on.
  void finish_shutdown();
  /// Ends every open call with `status` and closes.
  void end_all(GrpcStatus status, std::string_view message);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace extproc::grpc
