#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/limits.h"
#include "http2/frame.h"
#include "http2/frame_reader.h"
#include "http2/frame_writer.h"
#include "http2/header_decoder.h"
#include "http2/header_encoder.h"
#include "http2/output.h"
#include "http2/request_check.h"
#include "http2/stream.h"
#include "http2/token_bucket.h"

namespace extproc::http2 {

/// The server's side of one HTTP/2 connection with prior knowledge (RFC 9113): bytes in, streams
/// and their bytes to the layer above, bytes out. No I/O, no clock of its own, one thread.
///
/// Flow control: a connection's credit is given back as soon as its bytes arrive, so that no stream
/// can stall another; a stream's when the layer above calls give_credit. WINDOW_UPDATE follows at
/// half a window.
///
/// Streams are written in the order in which they have something to write, one frame at a time;
/// priorities are declined. When this side ends a stream that the peer has not ended,
/// RST_STREAM(NO_ERROR) follows, so that the peer stops sending. Of a closed stream nothing is
/// kept: what still comes for it is ignored.
class Session {
 public:
  using Clock = TokenBucket::Clock;

  /// `handler` must outlive it. Its SETTINGS wait as output at once.
  Session(const Limits& limits, SessionHandler& handler);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// False when the connection is to be closed once what waits is written. `now` may stand still,
  /// but not go back.
  bool receive(std::string_view bytes, Clock::time_point now = {});
  /// Appends what waits: all frames that are not DATA, and DATA frames until `max` bytes are
  /// reached.
  void take_output(Output& out, std::size_t max);
  bool wants_write() const;
  /// Nothing more will be read or written.
  bool finished() const;
  /// The peer's preface and SETTINGS have come.
  bool established() const { return established_; }
  std::size_t open_streams() const { return streams_.size(); }
  /// What it keeps of frames and header blocks that have not ended, in bytes.
  std::size_t held_bytes() const { return reader_.held_bytes() + block_.size(); }
  /// Since when a frame, or a header block of several, has been incomplete, if one is.
  std::optional<Clock::time_point> incomplete_since() const {
    return incomplete() ? std::optional(incomplete_since_) : std::nullopt;
  }
  /// Parts of answers that were taken as output, in a number of the session's own: whether it has
  /// changed tells whether the peer takes any.
  std::uint64_t progress() const { return progress_; }
  /// Bodies wait for the peer to open its windows, or to be taken as output. Asks each stream.
  bool bodies_wait() const;
  /// What ends the connection; empty when nothing is wrong.
  const std::string& error() const { return error_; }

  /// Inside of SessionHandler::on_request: `stream` hears of the request from now on, until
  /// on_stream_closed; until then it must live.
  void accept(Stream& stream);
  /// In its place: these headers are the whole answer, and nobody hears of the request.
  void refuse(std::span<const Header> headers);

  /// The response's headers, of which more follows.
  void send_headers(Stream& stream, std::span<const Header> headers);
  /// `stream` is asked for its output from now on until it says `last`.
  void send_body(Stream& stream);
  /// Headers with END_STREAM: the trailers, or the whole response. They go out at once: behind what
  /// Stream::prepare_output told inside of which it is called, and ahead of anything that was not
  /// asked for yet, which is never sent then. Once: later ones are ignored.
  void send_trailers(Stream& stream, std::span<const Header> headers);
  /// While no stream is open: frees what is only kept for those that come. on_same_request is not
  /// called for the next request.
  void give_back();
  /// The peer may send `bytes` more on `stream`.
  void give_credit(Stream& stream, std::size_t bytes);

  /// A PING whose answer shutdown_seen() tells, and GOAWAY with the highest id.
  void begin_shutdown();
  bool shutdown_seen() const { return shutdown_seen_; }
  /// GOAWAY with the last stream that was taken; later ones are ignored.
  void finish_shutdown();
  /// GOAWAY with `code`, after which nothing else is read or written.
  void terminate(ErrorCode code, std::string_view reason);

 private:
  using StreamList = boost::intrusive::list<Stream, boost::intrusive::base_hook<StreamHook>,
                                            boost::intrusive::constant_time_size<false>>;
  class RefusedStream;

  // What comes: session_input.cc.
  void take_frame(const FrameHeader& frame, std::string_view payload);
  void on_data(const FrameHeader& frame, std::string_view payload);
  void on_priority(const FrameHeader& frame, std::string_view payload);
  bool check_priority(const FrameHeader& frame, std::string_view payload);
  void on_rst_stream(const FrameHeader& frame);
  void on_settings(const FrameHeader& frame, std::string_view payload);
  void on_setting(Setting setting, std::uint32_t value);
  void change_send_windows(std::string_view settings);
  void on_ping(const FrameHeader& frame, std::string_view payload);
  void on_goaway(const FrameHeader& frame);
  void on_window_update(const FrameHeader& frame, std::string_view payload);
  void give_connection_credit(std::uint32_t bytes);

  // Header blocks: session_requests.cc.
  void on_headers(const FrameHeader& frame, std::string_view payload);
  void on_continuation(const FrameHeader& frame, std::string_view payload);
  void take_header_block(std::int32_t id, bool end_stream, std::string_view block);
  void take_request(std::int32_t id, bool end_stream, std::string_view block);
  void take_trailers(Stream& stream, bool end_stream, std::string_view block);
  bool skip_headers(std::string_view block);
  template <class Each>
  bool decode(std::string_view block, const Each& each);
  void end_remote(Stream& stream);
  std::size_t most_streams() const;

  bool incomplete() const { return continued_id_ != 0 || reader_.has_partial(); }
  Stream* find(std::int32_t id) const;
  bool idle(std::int32_t id) const { return id > last_id_ || id % 2 == 0; }
  void reset(Stream& stream, ErrorCode code);
  void close(Stream& stream);
  void close_ended();
  void forget(RefusedStream& stream);
  void write_body(Stream& stream, Output& out);
  void write_when_possible(Stream& stream);

  SessionHandler& handler_;
  const std::size_t most_streams_;
  const std::size_t most_frames_bytes_;
  const std::size_t most_block_bytes_;
  const std::size_t most_list_bytes_;
  const std::uint32_t connection_window_;
  const std::uint32_t stream_window_;

  FrameReader reader_;
  HeaderDecoder decoder_;
  boost::unordered_flat_map<std::int32_t, Stream*> streams_;
  std::vector<std::unique_ptr<RefusedStream>> refused_;
  StreamList writing_;  // have a body to write, and a window for it
  StreamList ended_;    // by this side; to be closed when that has been taken as output
  FrameWriter frames_;  // to be written ahead of more DATA
  std::string block_;   // of a HEADERS frame and its CONTINUATIONs
  std::string error_;

  Clock::time_point now_{};
  Clock::time_point incomplete_since_{};
  TokenBucket window_changes_;
  std::uint64_t progress_ = 0;

  std::int64_t send_window_ = kFirstWindow;
  std::int32_t first_send_window_ = kFirstWindow;  // of each stream
  /// Of the receive window, what the peer has not got back.
  std::uint32_t received_ = 0;
  std::int32_t last_id_ = 0;        // the highest that the peer has opened
  std::int32_t last_taken_id_ = 0;  // the highest before the last GOAWAY
  std::int32_t continued_id_ = 0;   // whose header block is not complete; 0: none
  bool continued_end_stream_ = false;
  // The request that was begun last: its stream once it is accepted, and what its headers say.
  std::int32_t beginning_id_ = 0;
  Stream* accepted_ = nullptr;
  std::int64_t content_length_ = StreamState::kNoLength;
  bool established_ = false;
  bool settings_acknowledged_ = false;
  bool shutdown_seen_ = false;
  bool last_goaway_sent_ = false;
  bool goaway_received_ = false;
};

}  // namespace extproc::http2
