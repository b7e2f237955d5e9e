#include "filter/background.h"

#include <link.h>
#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/what_was_thrown.h"
#include "filter/envoy_log.h"

namespace extproc::filter {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{5};
/// What a server grants streams that are under way when it ends.
constexpr std::chrono::milliseconds kMostRest{5'000};

void run(boost::asio::io_context& io) {
  const auto work = boost::asio::make_work_guard(io);
  while (!io.stopped()) {
    try {
      io.run();
    } catch (...) {
      log_to_envoy(LogLevel::error, "what a handler left behind failed: " + what_was_thrown());
    }
  }
}

/// How many files the process has loaded so far.
unsigned long long loaded_files() {
  unsigned long long count = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<unsigned long long*>(out) = info->dlpi_adds;
        return 1;
      },
      &count);
  return count;
}

}  // namespace

Background& Background::instance() {
  static Background& background = *new Background;
  return background;
}

void Background::start() {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable() || ended_) return;
  thread_ = std::thread([this] { run(io_); });
  pthread_setname_np(thread_.native_handle(), "extproc");
}

void Background::begin_use() {
  const std::lock_guard lock(mutex_);
  ++uses_;
}

void Background::end_use() {
  const std::lock_guard lock(mutex_);
  --uses_;
}

// What is registered later is run earlier: before the destructors of the modules that were loaded
// before it.
void Background::rest_at_exit() {
  const std::lock_guard lock(mutex_);
  if (const auto count = loaded_files(); std::exchange(rests_behind_, count) == count) return;
  std::atexit([] {
    if (instance().rest(kMostRest)) return;
    // Envoy's log is gone by then.
    log_to_stderr(LogLevel::warning,
                  "handlers have not returned, and the process ends without them");
  });
}

bool Background::rest(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  std::unique_lock lock(mutex_);
  if (ended_) return true;
  while (uses_ > 0 && thread_.joinable() && std::chrono::steady_clock::now() < until) {
    lock.unlock();
    std::this_thread::sleep_for(kBetweenLooks);
    lock.lock();
  }
  ended_ = true;
  std::thread thread = std::move(thread_);
  const bool all = uses_ == 0;
  lock.unlock();
  io_.stop();
  if (!thread.joinable()) return all;
  // A handler that is in the middle of something there may be so for ever.
  all ? thread.join() : thread.detach();
  return all;
}

}  // namespace extproc::filter
