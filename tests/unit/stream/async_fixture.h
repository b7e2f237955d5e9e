#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/host.h"
#include "extproc/host_loop.h"
#include "extproc/service.h"
#include "host/access.h"
#include "stream/describe.h"
#include "stream/process_stream.h"
#include "stream/stream_fixture.h"
#include "testing/request_writer.h"

namespace extproc::stream {

/// A stream whose handlers suspend, with a transport that holds messages back as the real one does,
/// and a clock (fake_now) that stands still. What it sends is kept as describe() puts it.
class AsyncFixture final : private ReplySink, private detail::CallInfo {
 public:
  explicit AsyncFixture(std::shared_ptr<Handlers> handlers, std::string chain = "",
                        unsigned blocking_queue = detail::BlockingPool::kDefaultQueue)
      : AsyncFixture(Service(std::move(handlers)), std::move(chain), blocking_queue) {}
  explicit AsyncFixture(const Service& processor, std::string chain = "",
                        unsigned blocking_queue = detail::BlockingPool::kDefaultQueue,
                        LogLevel log_level = LogLevel::info)
      : loop_{io_.get_executor(), 1, blocking_queue},
        host(processor,
             {.log_level = log_level,
              .log =
                  [this](LogLevel level, std::string_view line) {
                    log.push_back(std::string(to_string(level)) + " " + std::string(line));
                  },
              .observer = &observer,
              .chain_header = std::move(chain),
              .on_violation = [this](Violation v) { violations.push_back(std::move(v)); },
              .now = [] { return fake_now; }},
             &loop_.events) {
    fake_now = Clock::time_point{} + std::chrono::hours(1);
    stream.begin(*this);
  }
  // Whatever happened: it is told once how it ended, and nothing is kept any more.
  ~AsyncFixture() {
    if (close()) {
      EXPECT_EQ(kept_bytes, 0);
      EXPECT_EQ(completions.size(), 1U);
    }
    loop_.blocking.join();
  }

  /// Whether the first message says how the filter is set up.
  std::optional<ProtocolConfiguration> config = ProtocolConfiguration{};
  bool observes = false;
  /// Of the call, from the next restart() on.
  std::optional<Clock::time_point> call_deadline;

  void headers(Phase phase, bool end_of_stream = false, const HeaderList& entries = {}) {
    send(testing::write_headers(phase, entries, end_of_stream, extras()));
  }
  void body(Phase phase, std::string_view bytes, bool end_of_stream = false) {
    send(testing::write_body(phase, bytes, end_of_stream, extras()));
  }
  /// With the flags of other modes than Envoy's; a message in two parts is merged by its reader.
  void body(Phase phase, std::string_view bytes, bool end_of_stream, HttpBody::Flags flags) {
    std::string message = testing::write_body(phase, bytes, end_of_stream, extras());
    protozero::pbf_writer writer(message);
    protozero::pbf_writer part(writer, phase == Phase::request_body ? 4 : 5);
    part.add_bool(3, flags.end_of_stream_without_message);
    part.add_bool(4, flags.grpc_message_compressed);
    part.add_bool(5, flags.drain_complete);
    part.commit();
    send(std::move(message));
  }
  void trailers(Phase phase) { send(testing::write_trailers(phase, {}, extras())); }
  /// A serialised message, or bytes that are none.
  void send(std::string message) {
    arriving_.push_back(std::move(message));
    run();
  }
  /// The peer sends no more.
  void half_close() {
    half_closed_ = true;
    run();
  }
  /// The peer ends the stream; waits for the handlers. True when they all return.
  bool close() {
    if (!closed_) {
      closed_ = true;
      ended = true;
      if (stream.on_closed(GrpcStatus::cancelled, true)) released();
    }
    run();
    return releases == 1;
  }

  /// The next stream, in the place of this one.
  void restart() {
    ASSERT_TRUE(close());
    arriving_.clear();
    completions.clear();
    releases = 0;
    first_ = true;
    ended = paused = half_closed_ = half_close_told_ = closed_ = false;
    stream.begin(*this);
  }

  /// Delivers what may be delivered, and lets handlers run until all wait for something else than
  /// the loop.
  void run() {
    if (stop_before_handlers && !closed_) return pump();
    do {
      pump();
      io_.restart();
    } while (io_.poll() != 0);
  }
  /// Waits for the work that was handed to the blocking threads.
  void finish_blocking() {
    loop_.blocking.join();
    run();
  }
  /// The peer takes answers again.
  void drain() {
    is_congested = false;
    stream.on_writable();
    run();
  }
  /// Lets time pass, and the alarm ring where there is one.
  void pass(std::chrono::milliseconds time) {
    fake_now += time;
    while (wake_time && *wake_time <= fake_now) {
      wake_time.reset();
      stream.on_wake();
    }
    run();
  }
  /// With one blocking thread.
  detail::EventLoop& loop() { return loop_.events; }
  /// What has not been delivered yet.
  std::size_t waiting() const { return arriving_.size(); }

  std::vector<std::string> sent;
  std::vector<std::string> sent_bytes;
  std::vector<Violation> violations;
  std::vector<std::string> log;
  bool ended = false;
  GrpcStatus status = GrpcStatus::ok;
  int sent_after_end = 0;
  bool paused = false;
  bool is_congested = false;
  /// The peer takes nothing, though messages are delivered.
  bool congested_at_once = false;
  /// Answers after which the peer takes no more.
  std::size_t congested_after = ~std::size_t{0};
  /// Handlers that wait for the loop wait until close().
  bool stop_before_handlers = false;
  std::optional<Clock::time_point> wake_time;
  int releases = 0;
  /// As the stream has told.
  std::ptrdiff_t kept_bytes = 0;
  std::ptrdiff_t most_kept = 0;
  std::vector<host::Completed> completions;
  RecordingObserver observer;

 private:
  testing::MessageExtras extras() {
    const bool first = std::exchange(first_, false);
    return {observes, first && config ? &*config : nullptr};
  }

  void pump() {
    while (!delivering_ && !paused && !is_congested && !ended && !arriving_.empty()) {
      // Only as long as the message is being delivered, so that a view that is kept is found out.
      auto message = std::make_unique<std::string>(std::move(arriving_.front()));
      arriving_.pop_front();
      delivering_ = true;
      stream.on_message(*message);
      message->assign(message->size(), '?');
      delivering_ = false;
    }
    if (half_closed_ && !half_close_told_ && !paused && !is_congested && !ended &&
        arriving_.empty()) {
      half_close_told_ = true;
      stream.on_half_close();
    }
  }

  std::string& begin_message() override {
    answer_.clear();
    return answer_;
  }
  void end_message() override {
    if (ended) ++sent_after_end;
    sent.push_back(describe(answer_));
    sent_bytes.push_back(answer_);
    if (sent.size() >= congested_after) is_congested = true;
  }
  void finish(GrpcStatus with, std::string_view) override {
    if (ended) return;
    ended = true;
    status = with;
  }
  bool congested() const override { return is_congested || congested_at_once; }
  void wake_at(std::optional<Clock::time_point> time) override { wake_time = time; }
  void pause() override { paused = true; }
  void resume() override {
    paused = false;
    pump();
  }
  void kept(std::ptrdiff_t bytes) override {
    kept_bytes += bytes;
    most_kept = std::max(most_kept, kept_bytes);
    EXPECT_GE(kept_bytes, 0);
  }
  void completed(const host::Completed& how) override { completions.push_back(how); }
  void released() override { ++releases; }

  std::string_view peer() const override { return "10.0.0.1:1"; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override {
    return call_deadline;
  }
  std::size_t metadata_size() const override { return 0; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
    return {};
  }

  boost::asio::io_context io_{1};
  host::Loop loop_;
  std::string answer_;
  std::deque<std::string> arriving_;
  bool first_ = true;
  bool delivering_ = false;
  bool half_closed_ = false;
  bool half_close_told_ = false;
  bool closed_ = false;

 public:
  host::Host host;
  host::Settings& settings = detail::HostAccess::settings(host);
  Counters& counters = detail::HostAccess::counters(host);
  Streams streams{host};
  ProcessStream stream{streams, *this};
};

/// Suspends until the loop runs.
inline Task<> let_loop_run(Context& context) {
  co_await boost::asio::post(executor(context), boost::asio::deferred);
}

/// A place where a handler waits, in `co_await gate.passed()`, until the test lets it go on;
/// cancelling does not end it.
class Gate {
 public:
  // Not the gate itself, of which GCC 12 would await a copy.
  struct Awaiter {
    Gate& gate;
    bool await_ready() const noexcept { return gate.open_; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept { gate.waiting_ = waiting; }
    void await_resume() const noexcept {}
  };
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  Awaiter passed() { return {*this}; }
  void open() {
    open_ = true;
    if (waiting_) std::exchange(waiting_, nullptr).resume();
  }
  bool waited_at() const { return waiting_ != nullptr; }

 private:
  bool open_ = false;
  std::coroutine_handle<> waiting_;
};

/// Waits on a timer that never rings by itself.
inline Task<> wait_for_cancellation(Context& context) {
  boost::asio::steady_timer timer(executor(context), std::chrono::hours(1000));
  co_await timer.async_wait(boost::asio::deferred);
}

inline std::shared_ptr<Handlers> handlers() { return std::make_shared<Handlers>("Test"); }

/// Handlers of these phases that change nothing.
inline std::shared_ptr<Handlers> handlers_of(PhaseSet phases) {
  auto service = handlers();
  const auto nothing = [](auto&, auto&, auto&, auto&) {};
  if (phases.contains(Phase::request_headers)) service->process<Phase::request_headers>(nothing);
  if (phases.contains(Phase::request_body)) service->process<Phase::request_body>(nothing);
  if (phases.contains(Phase::request_trailers)) service->process<Phase::request_trailers>(nothing);
  if (phases.contains(Phase::response_headers)) service->process<Phase::response_headers>(nothing);
  if (phases.contains(Phase::response_body)) service->process<Phase::response_body>(nothing);
  if (phases.contains(Phase::response_trailers))
    service->process<Phase::response_trailers>(nothing);
  return service;
}

}  // namespace extproc::stream
