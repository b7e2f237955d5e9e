#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http2/output.h"

namespace extproc::http2 {

class Session;

/// Where a session lists a stream that it has something to do for.
using StreamHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Session>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// What its session knows of a stream.
class StreamState : public StreamHook {
 private:
  friend class Session;
  static constexpr std::int64_t kNoLength = -1;

  /// What content-length promises and has not come, or kNoLength.
  std::int64_t body_left_ = kNoLength;
  std::int32_t id_ = 0;
  /// What the peer lets this side send. Its SETTINGS can make it negative.
  std::int32_t send_window_ = 0;
  /// Of the receive window, what the peer has not got back.
  std::uint32_t received_ = 0;
  /// The part of that which it may have back.
  std::uint32_t credit_ = 0;
  bool remote_ended_ = false;
  bool local_ended_ = false;
  bool body_wanted_ = false;  // send_body was called, and the stream has not said `last` since
};

/// One stream that the peer opened, from the side of the layer above the session. It hears
/// everything inside of Session::receive and Session::take_output; from there it may use the
/// session to send, never to receive or take output.
class Stream : public StreamState {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Some bytes of the body. The connection's credit for them has been given back; the stream's is
  /// the callee's to give.
  virtual void on_data(std::string_view chunk) noexcept = 0;
  /// The peer will send no more.
  virtual void on_end_stream() noexcept = 0;
  /// The END_STREAM of this side has been taken as output.
  virtual void on_end_sent() noexcept = 0;
  /// The stream is gone, for whatever reason; the last thing that it hears. It may free itself
  /// here.
  virtual void on_stream_closed() noexcept = 0;

  struct Waiting {
    std::size_t bytes;
    bool last;  ///< Nothing waits behind them: Session::send_body has to be called again for more.
  };
  /// How many of at most `max` bytes wait. Session::send_trailers may be called inside, when they
  /// are the last.
  virtual Waiting prepare_output(std::size_t max) noexcept = 0;
  /// Appends the next `bytes` of them to `out`.
  virtual void write_output(Output& out, std::size_t bytes) noexcept = 0;

 protected:
  Stream() = default;
  ~Stream() = default;
};

/// Who opens streams for a session.
class SessionHandler {
 public:
  /// A request begins; its headers follow, and no other stream's between them. It may turn out to
  /// be malformed: then it is not heard of again.
  virtual void on_request_begin() noexcept = 0;
  virtual void on_request_header(std::string_view name, std::string_view value) noexcept = 0;
  /// The headers are complete and conform to HTTP. Inside, either Session::accept or
  /// Session::refuse has to be called, once.
  virtual void on_request() noexcept = 0;
  /// In place of all three: the request has, one by one, the headers of the one before, which
  /// on_request or on_same_request told of.
  virtual void on_same_request() noexcept = 0;

 protected:
  ~SessionHandler() = default;
};

}  // namespace extproc::http2
