#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/host.h"
#include "extproc/host_loop.h"
#include "stream/process_stream.h"

namespace extproc::testing {

/// The client's end of one stream to a processor of the same program, with an event loop of its own
/// that whoever derives from it runs.
class LocalStream : protected detail::CallInfo, private stream::ReplySink {
 public:
  LocalStream(const LocalStream&) = delete;
  LocalStream& operator=(const LocalStream&) = delete;

 protected:
  LocalStream(const Service& processor, host::Settings settings)
      : host_(processor, std::move(settings), &loop_.events) {}
  virtual ~LocalStream() = default;

  void begin() { stream_.begin(*this); }
  void send(std::string_view message) { stream_.on_message(message); }
  void half_close() { stream_.on_half_close(); }
  /// The client ends it.
  void end(GrpcStatus status, bool cancelled) {
    if (std::exchange(ended_, true)) return;
    if (stream_.on_closed(status, cancelled)) released_ = true;
  }

  bool paused() const { return paused_; }
  /// Neither sends anything more.
  bool ended() const { return ended_; }
  /// No handler of it runs any more.
  bool over() const { return released_; }
  boost::asio::io_context& io() { return io_; }
  host::Loop& loop() { return loop_; }

  /// The loop has nothing to wait for but the stream's alarm. What is ready is done before.
  bool waits_for_alarm_alone() {
    if (!alarm_) return false;
    timer_.cancel();
    io_.restart();
    io_.poll();
    const bool alone = io_.stopped();
    if (alarm_) set_timer(*alarm_);
    return alone;
  }

  /// The processor has answered.
  virtual void on_answer(const std::string& message) = 0;
  /// The processor has ended it.
  virtual void on_end(GrpcStatus status, std::string_view message) = 0;
  virtual void on_resume() {}

  void finish(GrpcStatus status, std::string_view message) final {
    if (std::exchange(ended_, true)) return;
    on_end(status, message);
    // Not from inside of the stream, which called this.
    boost::asio::post(io_, [this] {
      if (stream_.on_closed(GrpcStatus::ok, false)) released_ = true;
    });
  }

 private:
  std::string& begin_message() final {
    answer_.clear();
    return answer_;
  }
  void end_message() final {
    if (!ended_) on_answer(answer_);
  }
  bool congested() const final { return false; }
  void wake_at(std::optional<std::chrono::steady_clock::time_point> time) final {
    timer_.cancel();
    alarm_ = time;
    if (time) set_timer(*time);
  }
  void set_timer(std::chrono::steady_clock::time_point time) {
    timer_.expires_at(time);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || released_) return;
      alarm_.reset();
      stream_.on_wake();
    });
  }
  void pause() final { paused_ = true; }
  void resume() final {
    paused_ = false;
    on_resume();
  }
  void released() final { released_ = true; }

  std::string answer_;
  bool paused_ = false;
  bool ended_ = false;
  bool released_ = false;
  std::optional<std::chrono::steady_clock::time_point> alarm_;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  host::Loop loop_{io_.get_executor(), 2};
  host::Host host_;
  stream::Streams streams_{host_};
  stream::ProcessStream stream_{streams_, *this};
};

}  // namespace extproc::testing
