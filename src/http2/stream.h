#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace extproc::http2 {

/// One stream that the peer opened, from the side of the layer above the session. It hears
/// everything inside of Session::receive and Session::take_output; from there it may use the
/// session to submit, never to receive or take output.
class Stream {
 public:
  /// Some bytes of the body. The connection's credit for them has been given back; the stream's is
  /// the callee's to give.
  virtual void on_data(std::string_view chunk) noexcept = 0;
  /// The peer will send no more.
  virtual void on_end_stream() noexcept = 0;
  /// The END_STREAM of this side has been taken as output.
  virtual void on_end_sent() noexcept = 0;
  /// The stream is gone, for whatever reason; the last thing that it hears.
  virtual void on_stream_closed() noexcept = 0;

  struct Output {
    std::size_t bytes;
    bool last;  ///< Nothing waits behind them: Session::send_body has to be called again for more.
  };
  /// How many of at most `max` bytes wait. Session::send_trailers may be called inside, when they
  /// are the last.
  virtual Output prepare_output(std::size_t max) noexcept = 0;
  /// Appends the next `bytes` of them to `out`.
  virtual void write_output(std::string& out, std::size_t bytes) noexcept = 0;

 protected:
  ~Stream() = default;
};

/// Who opens streams for a session.
class SessionHandler {
 public:
  /// A request begins; its headers follow, and no other stream's between them.
  virtual void on_request_begin() noexcept = 0;
  virtual void on_request_header(std::string_view name, std::string_view value) noexcept = 0;
  /// The headers are complete and conform to HTTP. Returns who hears of the stream from now on, or
  /// null when nobody needs to.
  virtual Stream* on_request(std::int32_t id) noexcept = 0;

 protected:
  ~SessionHandler() = default;
};

}  // namespace extproc::http2
