#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "extproc/settings.h"
#include "http2/memory.h"
#include "http2/stream.h"

namespace extproc::http2 {

using Header = nghttp2_nv;

/// A header whose text lives as long as the program, so that it is never copied.
Header constant_header(std::string_view name, std::string_view value);
/// A header whose value is copied when it is submitted; `name` lives as long as the program.
Header copied_header(std::string_view name, std::string_view value);

/// The server's side of one HTTP/2 connection with prior knowledge, on nghttp2: bytes in, streams
/// and their bytes to the layer above, bytes out. No I/O, no clock, one thread.
///
/// Flow control: a connection's credit is given back as soon as its bytes arrive, so that no stream
/// can stall another; a stream's when the layer above calls give_credit. nghttp2 turns credit into
/// WINDOW_UPDATE at half a window.
///
/// Priorities of RFC 7540 are declined, which spares the dependency tree: streams are written in
/// the order in which they have something to write. When this side ends a stream that the peer has
/// not ended, RST_STREAM(NO_ERROR) follows, so that the peer stops sending.
class Session {
 public:
  /// All must outlive it. Its SETTINGS wait as output at once.
  Session(const Limits& limits, Memory& memory, SessionHandler& handler);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// False when the connection is to be closed once what waits is written.
  bool receive(std::string_view bytes);
  /// Appends frames until `max` bytes are reached or nothing waits.
  void take_output(std::string& out, std::size_t max);
  bool wants_write() const;
  /// Nothing more will be read or written.
  bool finished() const;
  /// The peer's preface and SETTINGS have come.
  bool established() const { return established_; }
  std::size_t open_streams() const { return open_streams_; }
  /// What ends the connection; empty when nothing is wrong.
  const std::string& error() const { return error_; }

  /// Response headers with END_STREAM.
  void respond(std::int32_t id, std::span<const Header> headers);
  /// Response headers, and `stream` is asked for its output from then on until it says `last`.
  void respond(std::int32_t id, std::span<const Header> headers, Stream& stream);
  /// Asks `stream` for its output again, after it said `last`.
  void send_body(std::int32_t id, Stream& stream);
  /// Trailers with END_STREAM, at once: behind what Stream::prepare_output told inside of which it
  /// is called, and ahead of anything that was not asked for yet, which is never sent then.
  void send_trailers(std::int32_t id, std::span<const Header> headers);
  void give_credit(std::int32_t id, std::size_t bytes);

  /// GOAWAY with the highest id, and a PING whose answer shutdown_seen() tells.
  void begin_shutdown();
  bool shutdown_seen() const { return shutdown_seen_; }
  /// GOAWAY with the last stream that was taken.
  void finish_shutdown();
  /// GOAWAY with `code`, after which nothing is read or written any more. May be called inside a
  /// callback; it takes effect when receive() or take_output() goes on.
  void terminate(std::uint32_t code, std::string_view reason);

 private:
  friend struct SessionCallbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  void submit_settings(const Limits& limits);
  void terminate_if_asked();
  void fail(int nghttp2_error);

  SessionHandler& handler_;
  std::unique_ptr<nghttp2_session, Delete> session_;
  std::string* out_ = nullptr;  // within take_output()
  std::size_t out_end_ = 0;
  std::string error_;
  std::size_t open_streams_ = 0;
  std::size_t most_queued_frames_;
  std::uint32_t terminate_code_ = NGHTTP2_NO_ERROR;
  bool established_ = false;
  bool shutdown_seen_ = false;
  bool dead_ = false;
};

}  // namespace extproc::http2
