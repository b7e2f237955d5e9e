#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <semaphore>
#include <thread>

#include "async_fixture.h"

namespace extproc::stream {

/// Keeps the one blocking thread of a stream busy.
class Busy final : private detail::BlockingJob {
 public:
  explicit Busy(AsyncFixture& stream) : stream_(stream) {
    auto& [executor, pool] = stream_.loop();
    pool.submit(*this, executor, time_, detail::BlockingPool::kNoHurry);
    held_.acquire();
  }
  /// Lets the thread go, and waits for all that was handed to it.
  void end() {
    open_.release();
    stream_.finish_blocking();
  }

 private:
  void run() noexcept override {
    held_.release();
    open_.acquire();
  }
  void ended(End) noexcept override {}

  AsyncFixture& stream_;
  detail::ServiceTime time_;
  std::binary_semaphore held_{0};
  std::binary_semaphore open_{0};
};

/// What waited is late by then, however quick the machine is.
inline void leave_no_time(AsyncFixture& f) {
  f.settings.filter.message_timeout = std::chrono::milliseconds(0);
}

/// Work that takes longer than Envoy waits by what the server was told: no time at all.
struct TooLong {
  explicit TooLong(std::optional<std::chrono::milliseconds> fallback = std::nullopt) {
    auto service = handlers();
    service->blocking();
    service->process<Phase::request_headers>([this, fallback](auto&, auto&, auto&, auto& response) {
      if (fallback) response.fall_back_after(*fallback);
      work();
    });
    f.emplace(service);
    leave_no_time(*f);
  }
  void work() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++calls;
  }
  /// Runs a stream of its own, for which a thread is free, so that it is known how long work takes.
  void measure() {
    f->headers(Phase::request_headers);
    while (f->loop().blocking.busy()) std::this_thread::yield();
    f->run();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(f->sent.size(), 1U);
    f->restart();
    f->sent.clear();
  }
  void run_behind_others() {
    Busy busy(*f);
    f->headers(Phase::request_headers);
    busy.end();
  }

  std::atomic<int> calls = 0;
  std::optional<AsyncFixture> f;
};

}  // namespace extproc::stream
