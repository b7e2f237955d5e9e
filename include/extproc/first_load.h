#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

#include "extproc/cache.h"

namespace extproc {

/// A value that a processor is not ready without, loaded before anybody asks: on a thread of its
/// own, and again until it is there.
///
///   void start() override { first_.begin(keys_, issuer_); }
///   void stop() override { first_.end(); }
///   bool ready() const override { return keys_.peek(issuer_) != nullptr; }
class FirstLoad {
 public:
  /// The cache, and what its loader captures, must live until the end.
  template <class Key, class Value, class Hash>
  void begin(Cache<Key, Value, Hash>& cache, std::type_identity_t<Key> key) {
    thread_ = std::jthread(
        [&cache, key = std::move(key)](const std::stop_token& stop) { run(cache, key, stop); });
  }
  /// Waits for no load that is under way.
  void end() { thread_ = {}; }

 private:
  static constexpr std::chrono::milliseconds kPause{100};

  template <class Key, class Value, class Hash>
  static void run(Cache<Key, Value, Hash>& cache, const Key& key, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested() && cache.peek(key) == nullptr) {
      boost::asio::io_context loop;
      const std::stop_callback at_once(stop, [&loop] { loop.stop(); });
      cache.refresh(loop.get_executor(), key);
      loop.run();
      stopped.wait_for(lock, stop, kPause, [] { return false; });
    }
  }

  std::jthread thread_;
};

}  // namespace extproc
