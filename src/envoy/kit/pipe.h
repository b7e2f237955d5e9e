#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

enum class Side : std::uint8_t { request, response };

/// What a filter says to a piece of a message.
enum class Step : std::uint8_t {
  proceed,
  /// Nothing goes on until Pipe::resume().
  stop,
  /// The same, and the data is kept; more than the limit is an error.
  stop_and_buffer,
  /// The same, and the data is kept; at the limit the sender would be slowed down.
  stop_and_watermark,
};

/// The filter in the middle.
class PipeFilter {
 public:
  virtual Step on_headers(Side side, bool end) = 0;
  virtual Step on_data(Side side, std::string& data, bool end) = 0;
  virtual Step on_trailers(Side side) = 0;

 protected:
  ~PipeFilter() = default;
};

/// What is around a pipe: the other end, and the connection manager.
class PipeEnd {
 public:
  virtual void send_headers(Side side, const HeaderMap& headers, bool end) = 0;
  virtual void send_data(Side side, const std::string& data, bool end) = 0;
  virtual void send_trailers(Side side, const HeaderMap& trailers) = 0;
  /// False once somebody else has taken over, and the message is dropped.
  virtual bool can_continue(Side side) const = 0;
  /// More is buffered than the limit.
  virtual void too_large(Side side) = 0;

 protected:
  ~PipeEnd() = default;
};

/// One direction of an exchange: what the connection manager does with a filter that may stop a
/// message, and go on with it later.
class Pipe {
 public:
  /// All must outlive it.
  Pipe(Side side, PipeFilter& filter, PipeEnd& end, std::size_t limit)
      : side_(side), filter_(filter), end_(end), limit_(limit) {}

  // From the sender.
  void arrive_headers(HeaderMap headers, bool end);
  void arrive_data(std::string data, bool end);
  void arrive_trailers(HeaderMap trailers);

  // From the filter.
  /// Goes on with what was stopped: headers if they have not left yet, what is buffered, trailers.
  void resume();
  /// Sends data behind the filter, before anything that is buffered.
  void inject(const std::string& data, bool end);
  /// Adds to what is buffered; `streaming`: over the limit the sender would only be slowed down.
  void buffer(const std::string& data, bool streaming = false);
  /// The same, bounded as what is buffered already.
  void buffer_more(const std::string& data) { buffer(data, streaming_); }
  /// Puts `data` in place of what is buffered.
  void replace_buffered(std::string data);

  bool sender_done() const { return sender_done_; }
  bool headers_left() const { return headers_left_; }
  /// So much is kept of a message that waits that its sender is slowed down.
  bool is_full() const { return streaming_ && limit_ > 0 && buffered && buffered->size() > limit_; }

  HeaderMap headers;
  std::optional<HeaderMap> trailers;
  std::optional<std::string> buffered;
  /// Of the body, so far.
  std::size_t arrived_bytes = 0;
  std::size_t sent_bytes = 0;

 private:
  /// The filter put a body where nothing waits.
  bool has_added_body() const { return buffered && !buffered->empty(); }
  void check_limit();
  void send_headers(bool end);
  void send_data(const std::string& data, bool end);
  void send_trailers();

  const Side side_;
  PipeFilter& filter_;
  PipeEnd& end_;
  const std::size_t limit_;
  bool sender_done_ = false;
  bool stopped_ = false;
  bool streaming_ = false;
  bool over_limit_ = false;
  // The filter is being asked; what it brings about waits for its return.
  bool in_filter_ = false;
  bool too_large_ = false;
  bool headers_left_ = false;
  bool ended_ = false;
};

}  // namespace extproc::testing::envoy
