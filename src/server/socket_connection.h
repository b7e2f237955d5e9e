#pragma once

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/logger.h"
#include "extproc/detail/told_once.h"
#include "extproc/limits.h"
#include "grpc/buffer_pool.h"
#include "grpc/connection.h"
#include "grpc/deadline_wheel.h"
#include "http2/output.h"
#include "server/socket.h"
#include "server/transport.h"

namespace extproc::server {

class SocketConnection;

/// Told by the connections of one thread.
class ConnectionOwner {
 public:
  /// It has something to write and asks to be flushed once the current event is over.
  virtual void on_output(SocketConnection& connection) = 0;
  /// It has no stream any more, perhaps after one that came and went, or has one again, or is about
  /// to close. A new one has none.
  virtual void on_idle(SocketConnection& connection, bool idle) = 0;
  /// A TLS handshake is under way on it, which calls continue_handshake() in its turn; once it is
  /// over, however that was, or the connection is closed, it is not any more.
  virtual void on_handshake(SocketConnection& connection, bool under_way) = 0;
  /// Bytes of a handshake have come.
  virtual void on_handshake_bytes(SocketConnection& connection) = 0;
  /// The peer has seen the notice of begin_shutdown(). Once, unless the connection closes before.
  virtual void on_shutdown_seen(SocketConnection& connection) = 0;
  /// The socket is closed. Once.
  virtual void on_closed(SocketConnection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// What the connections of one thread share; it outlives them.
struct ConnectionEnvironment {
  static constexpr std::size_t kInputSize = std::size_t{256} << 10;

  ConnectionOwner& owner;
  const Limits& limits;
  const Logger& logger;
  /// Of the server.
  detail::ToldOnce& told;
  Counters& counters;
  std::span<grpc::GrpcService* const> services;
  grpc::DeadlineWheel& deadlines;
  grpc::BufferPool& buffers;
  /// Null for clear text.
  Transport* transport = nullptr;
  SecureBuffers secure{};
  /// Used during one read, and one write: only what could not be written is kept by its connection.
  std::vector<char> input = std::vector<char>(kInputSize);
  http2::Output output{};
  /// How long a connection in use goes without a look at how long its peer takes.
  grpc::Clock::duration look_interval = look_interval_of(limits);

  static grpc::Clock::duration look_interval_of(const Limits& limits);
};

/// Where its owner lists a connection that is idle, or in its handshake.
using IdleHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Moves bytes between a socket and a grpc::Connection. What it waits for with is a small buffer of
/// its own, large enough for most of what comes: asking Asio to tell when the socket is ready would
/// take a system call each time. The large one it shares with all others. One thread. Handlers of
/// the socket keep it alive.
class SocketConnection
    : public boost::intrusive_ref_counter<SocketConnection, boost::thread_unsafe_counter>,
      public IdleHook {
 public:
  SocketConnection(ConnectionEnvironment& environment, Socket socket, std::string peer);
  ~SocketConnection();

  void start();
  /// Writes what waits, as far as the socket takes it.
  void flush();

  /// Of TLS.
  bool in_handshake() const { return handshake_; }
  /// Takes what came of its handshake; a step of it may take a millisecond.
  void continue_handshake();
  /// Closes it, since too many handshakes are under way.
  void give_up_handshake();

  /// Tells the peer to open no more streams here.
  void begin_shutdown();
  bool shutdown_seen() const { return shutdown_seen_; }
  /// The same; once the peer has seen it, new streams are ignored, and the connection closes after
  /// the last open one.
  void finish_shutdown();
  /// For a connection without streams: tells the peer that it ends, and closes soon.
  void make_room();
  bool makes_room() const { return makes_room_; }
  /// All that it holds for its peer, in bytes.
  std::size_t held_bytes() const;
  /// Closes it because of that.
  void shed();
  const std::string& peer() const { return peer_; }
  /// As grpc::Connection has it.
  void visit_calls(const grpc::CallVisitor& visit) const {
    if (transport_) transport_->visit_calls(visit);
  }
  /// Limits have changed: what waits for the end of a time is looked at anew, soon.
  void look_anew();
  /// When something came last.
  grpc::Clock::time_point last_read() const { return last_read_; }
  /// Ends every stream with UNAVAILABLE, then closes.
  void end_all(std::string_view message);
  void close();

 private:
  using Ptr = boost::intrusive_ptr<SocketConnection>;
  using Clock = grpc::Clock;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>,
                                                  boost::asio::io_context::executor_type>;

  void wait_readable();
  void wait_writable();
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  void on_writable();
  bool take_input(boost::system::error_code error, std::size_t bytes);
  void fail_to_read(const boost::system::error_code& error);
  bool receive(std::string_view bytes);
  void discard_input();

  // Output: socket_connection_output.cc.
  std::size_t write_some_output();
  void write_output();
  /// How many bytes the socket took. The connection may be closed afterwards.
  std::size_t send(const http2::Output& output);
  std::size_t send(std::span<const boost::asio::const_buffer> buffers);
  std::size_t send(std::string_view bytes);

  // TLS: socket_connection_secure.cc.
  void begin_handshake();
  void end_handshake();
  bool receive_secure(std::string_view bytes);
  void send_secure(const http2::Output& output);
  void send_secured();
  void fail_secure();
  void tell_failed_handshake(const SecureFailure& failure);

  void after_event();
  void tell_if_idle();
  void tell_error() const;
  void linger();

  // Time: socket_connection_times.cc.
  void wait_until(Clock::time_point time);
  void look_by(Clock::time_point time);
  void on_time();
  void look(Clock::time_point now);
  bool reads_nothing(Clock::time_point now);
  void begin_age();
  void end_of_age(Clock::time_point now);
  void end_stalled(std::string_view reason, Clock::time_point now);
  void look_at_idle(Clock::time_point now);

  void fail(std::string_view reason, LogLevel level);
  void log(LogLevel level, std::string_view message) const;
  void count_own();

  bool closed() const { return !socket_.is_open(); }

  /// How long a peer may take to answer the notice that its idle connection ends, or to take our
  /// last words.
  static constexpr std::chrono::seconds kNoticeTime{10};
  static constexpr Clock::time_point kNever = Clock::time_point::max();
  /// One event reads and writes at most this many buffers before other connections have their turn.
  static constexpr int kBuffersPerEvent = 2;
  static constexpr std::size_t kFirstInputSize = std::size_t{4} << 10;

  ConnectionEnvironment& environment_;
  Socket socket_;
  Timer timer_;
  std::string peer_;
  /// Gone once nothing more will be sent.
  std::optional<grpc::Connection> transport_;
  /// Null in clear text.
  std::unique_ptr<SecureSession> secure_;
  Clock::time_point last_read_;
  Clock::time_point timer_at_ = kNever;
  Clock::time_point handshake_end_ = kNever;
  /// When it is too old, or the time of its streams is over then.
  Clock::time_point age_end_ = kNever;
  /// When it was told that it ends because it is idle.
  Clock::time_point idle_end_ = kNever;
  /// The first look that found answers waiting of which nothing has been taken since.
  Clock::time_point unread_since_ = kNever;
  /// As the look before the next had it.
  std::uint64_t progress_ = 0;
  std::array<char, kFirstInputSize> first_input_;
  /// What the socket did not take yet.
  std::string unsent_;
  /// What it holds besides the transport, as it is counted.
  std::size_t own_bytes_ = 0;
  bool waiting_writable_ = false;
  /// Bytes read since the socket was full.
  std::size_t read_while_full_ = 0;
  bool reading_paused_ = false;
  /// No more is read: the transport refused what came.
  bool refused_ = false;
  bool shutdown_begun_ = false;
  bool shutdown_seen_ = false;
  bool finish_wanted_ = false;
  bool finish_sent_ = false;
  bool makes_room_ = false;
  bool aged_ = false;
  /// Of TLS, and what has come of it in first_input_ and waits for its turn.
  bool handshake_ = false;
  std::uint16_t handshake_bytes_ = 0;
  // As the owner knows.
  bool idle_ = false;
  std::uint64_t idle_progress_ = 0;
};

}  // namespace extproc::server
