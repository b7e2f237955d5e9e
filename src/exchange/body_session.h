#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/pacer.h"
#include "extproc/body.h"
#include "extproc/body_stream.h"
#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"

namespace extproc::exchange {

class ProcessorExchange;

/// One direction's body with a handler over the whole of it: keeps what the handler has not read,
/// and turns what it writes into legal answers of the body's mode. It lives from the first chunk to
/// the end of the stream.
class BodySession final : private detail::BodyChannel,
                          private detail::Completion,
                          private detail::FallbackListener {
 public:
  /// Both must outlive it.
  BodySession(ProcessorExchange& exchange, const detail::Dispatcher& dispatcher, Phase phase,
              std::optional<BodySendMode> mode);

  /// The answer to the headers waits until the handler writes or ends. Before the first chunk.
  void hold_headers() { holds_headers_ = true; }
  /// A chunk has come. The first one starts the handler.
  void on_chunk(const HttpBody& chunk);
  /// No chunk follows: trailers or the end of the stream came.
  void on_input_end();
  void on_writable() { wake(); }
  /// The stream is over: a handler that waits here is told.
  void cancel();
  /// The handler takes too long: what it has not answered, and all that follows, passes unchanged.
  /// The handler is told, and may still run.
  void abandon();

  Phase phase() const { return phase_; }
  /// What the handler is given.
  const Context& context() const { return context_; }
  /// The handler has not returned yet.
  bool running() const { return running_; }
  bool abandoned() const { return abandoned_; }
  /// It can do nothing until a chunk, or the end, comes.
  bool idle() const { return !running_ || (waiting_ && !waits_for_output_ && unread_.empty()); }
  /// It is in read(), or waits for its peer.
  bool waits_here() const { return static_cast<bool>(waiting_); }
  /// When a handler that waits in writable() has kept to its pace; nothing where none has to.
  std::optional<std::chrono::steady_clock::time_point> resumes_at() const {
    return waits_for_output_ ? paced_until() : std::nullopt;
  }
  /// What has not been read, with what it takes to keep it.
  std::size_t unread_bytes() const { return unread_bytes_; }
  /// What it keeps, with what was read last and what was written for it.
  std::size_t kept_bytes() const {
    return unread_bytes_ + read_bytes_ + current_.bytes.size() + written_.size();
  }
  std::chrono::steady_clock::time_point start() const { return start_; }
  BodyResponse& body_response() { return response_; }
  /// Sends what is still owed after the handler returned, and lets what was not read through.
  void settle();

 private:
  struct Chunk {
    std::string bytes;
    bool end_of_stream;
    HttpBody::Flags flags;

    HttpBody view() const { return {bytes, end_of_stream, flags}; }
    std::size_t weight() const { return sizeof(Chunk) + bytes.size(); }
  };

  void next_wanted() override;
  bool ready() override;
  void wait(std::coroutine_handle<> handler) override {
    waiting_ = handler;
    waits_for_output_ = false;
    tell_waiting();
  }
  std::optional<HttpBody> next() override;
  bool writable() override { return cancelled_ || (!congested() && !paced_until()); }
  void wait_writable(std::coroutine_handle<> handler) override;
  void set_pace(const Pace& pace) override { pacer_ = std::make_unique<Pacer>(pace); }
  void check_open() override;
  void write(std::string_view bytes, bool compressed) override;
  void finish() override { finished_ = true; }
  std::optional<BodySendMode> mode() const override { return mode_; }
  BodyResponse& response() override { return response_; }
  void complete(std::exception_ptr failure) noexcept override;
  void set_fallback(const detail::Fallback& fallback) noexcept override { on_fallback(fallback); }
  detail::TimeLeft time_left() override;
  void on_refused() noexcept override;
  void on_outlasted(std::chrono::nanoseconds time) noexcept override;
  void on_fallback(detail::Fallback fallback) override;

  bool full_duplex() const { return mode_ && is_full_duplex(*mode_); }
  bool whole() const;
  void start_handler();
  void take(const HttpBody& chunk);
  void keep_current();
  void decide_headers();
  void pass_read();
  void answer_current();
  void answer(const Chunk& chunk);
  void clear_response();
  void reset_response();
  void send_streamed(const HttpBody& body);
  std::optional<Chunk> pop();
  void pass_unread();
  void pass(const Chunk& chunk);
  void send_end();
  void wake();
  void yield();
  bool congested() const;
  std::optional<std::chrono::steady_clock::time_point> paced_until() const;
  void tell_waiting();

  ProcessorExchange& exchange_;
  const detail::Dispatcher& dispatcher_;
  const Phase phase_;
  const std::optional<BodySendMode> mode_;
  BodyStream body_;
  Context context_;
  BodyResponse response_;
  std::deque<Chunk> unread_;
  std::size_t unread_bytes_ = 0;
  Chunk current_{};
  std::vector<Chunk> read_;  // before current_, while the answer to the headers waits
  std::size_t read_bytes_ = 0;
  std::string written_;           // since the last answer, where answers are owed
  std::unique_ptr<Pacer> pacer_;  // where the handler asked for one
  std::coroutine_handle<> waiting_;
  std::size_t read_in_a_row_ = 0;  // chunks, since the handler was resumed
  std::shared_ptr<int> turn_;      // others have it: it goes on when the loop comes to it again
  std::chrono::steady_clock::time_point start_;
  bool waits_for_output_ = false;
  bool started_ = false;
  bool running_ = false;
  bool holds_headers_ = false;   // their answer waits for the handler
  bool holds_chunk_ = false;     // current_ has no answer yet
  bool holds_streamed_ = false;  // full duplex: nothing was written since current_ was read
  bool input_over_ = false;      // nothing follows what is unread
  bool end_of_stream_ = false;   // the input ended with it; else trailers follow, or nothing
  bool drain_complete_ = false;
  bool finished_ = false;
  bool end_sent_ = false;
  bool cancelled_ = false;
  bool abandoned_ = false;
};

}  // namespace extproc::exchange
