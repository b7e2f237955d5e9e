#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "extproc/error.h"
#include "extproc/task.h"

namespace extproc {

struct CacheSettings {
  /// How long a value is given as it is.
  std::chrono::milliseconds ttl{60'000};
  /// From this age on, one that is asked for is loaded again in the background. 0: never before
  /// ttl.
  std::chrono::milliseconds refresh_after{0};
  /// How long beyond ttl the last value is given where it cannot be loaded again.
  std::chrono::milliseconds stale{0};
  /// How long nothing is loaded again after it failed.
  std::chrono::milliseconds failure_ttl{1'000};
  /// How long after a load get_newer() is given what that brought.
  std::chrono::milliseconds renewal_pause{10'000};
  /// How long anybody waits for a load, and after which another can begin beside it.
  std::chrono::milliseconds load_time{5'000};
  /// Values, and remembered failures, that are kept; the one that was asked for least lately goes.
  std::size_t entries = 10'000;
  /// Loads at once, of different keys.
  std::size_t loads = 1'000;
  /// For tests.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// No load ended within CacheSettings::load_time.
class CacheTimeout : public std::runtime_error {
 public:
  CacheTimeout() : std::runtime_error("a cache's load took longer than its load_time") {}
};

/// Values by key, each loaded once however many ask for it, from any of the server's threads:
///
///   Cache<std::string, Keys> keys({.ttl = 10min, .refresh_after = 5min, .stale = 24h},
///                                 [this](const std::string& issuer) { return fetch(issuer); });
///   const auto found = co_await keys.get(executor(context), issuer);
///
/// The load is a coroutine of Asio, on the thread of whoever asked first, and apart from its
/// stream: it goes on when that is over. Held by the loads that run as well, so it can be destroyed
/// at any time; what the loader captures must live as long as they.
template <class Key, class Value, class Hash = std::hash<Key>>
class Cache {
 public:
  using Pointer = std::shared_ptr<const Value>;
  using Loader = std::function<boost::asio::awaitable<Value>(const Key&)>;

  /// Throws Error where ttl, load_time, entries or loads is 0, or refresh_after is not below ttl.
  Cache(CacheSettings settings, Loader loader)
      : state_(std::make_shared<State>(std::move(settings), std::move(loader))) {}

  /// The value; `executor` is that of the handler that waits (executor(context)). Throws what the
  /// load threw, CacheTimeout, Overloaded where there are too many loads, and operation_aborted as
  /// every operation of Asio once the stream is over.
  Task<Pointer> get(boost::asio::any_io_executor executor, Key key) {
    return wait(state_, std::move(executor), std::move(key), nullptr);
  }

  /// As get(), for whom `known` is of no use though it is not old, such as keys that have not the
  /// one that is asked for: waits for one load, however many ask, unless a newer value is there
  /// already. Gives `known` again where it cannot be loaded, or was within renewal_pause, so that
  /// whoever asks for what nobody has costs no load each.
  Task<Pointer> get_newer(boost::asio::any_io_executor executor, Key key, Pointer known) {
    return wait(state_, std::move(executor), std::move(key), std::move(known));
  }

  /// What is there now, within ttl and stale, or null. Never waits.
  Pointer peek(const Key& key) const { return state_->usable(key); }

  /// Loads it in the background, unless that is under way: before anybody asks (and FirstLoad), or
  /// where a value was found to be of no use any more. Not within failure_ttl; false then.
  bool refresh(const boost::asio::any_io_executor& executor, const Key& key) {
    if (!state_->wants_refresh(key)) return false;
    State::start(state_, executor, key);
    return true;
  }

  void put(const Key& key, Value value) {
    state_->ended(key, std::make_shared<const Value>(std::move(value)), nullptr);
  }
  void erase(const Key& key) { state_->erase(key); }

  /// Values, and remembered failures.
  std::size_t size() const { return state_->size(); }
  /// Loads that have begun, and those of them that failed.
  struct Counts {
    std::uint64_t loads = 0, failures = 0;
  };
  Counts counts() const { return state_->counts(); }

 private:
  using Time = std::chrono::steady_clock::time_point;

  class State;

  static Task<Pointer> wait(std::shared_ptr<State> state, boost::asio::any_io_executor executor,
                            Key key, Pointer known) {
    Asked asked = state->ask(key, executor, known);
    if (asked.starts) State::start(state, executor, key);
    if (asked.value) co_return asked.value;
    if (asked.failure) std::rethrow_exception(asked.failure);
    boost::asio::steady_timer timer(executor, state->load_time());
    asked.waiter->timer = &timer;
    const Leaving leaving{*state, key, *asked.waiter};
    bool interrupted = false;
    try {
      co_await timer.async_wait(boost::asio::deferred);
    } catch (const boost::system::system_error&) {
      interrupted = true;
    }
    if (asked.waiter->value) co_return asked.waiter->value;
    if (asked.waiter->failure) std::rethrow_exception(asked.waiter->failure);
    if (interrupted) {
      throw boost::system::system_error(
          boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    }
    Pointer last = state->usable(key);
    if (!last) throw CacheTimeout();
    co_return last;
  }

  /// Of its own thread, but for the executor.
  struct Waiter {
    boost::asio::any_io_executor executor;
    boost::asio::steady_timer* timer = nullptr;
    Pointer value{};
    std::exception_ptr failure{};
  };
  /// Nobody is told that has gone, whose thread may have gone as well.
  struct Leaving {
    State& state;
    const Key& key;
    Waiter& waiter;

    Leaving(State& from, const Key& of, Waiter& who) : state(from), key(of), waiter(who) {}
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;
    ~Leaving() { state.leave(key, waiter); }
  };
  struct Asked {
    bool starts = false;
    Pointer value{};
    std::exception_ptr failure{};
    std::shared_ptr<Waiter> waiter{};
  };
  struct Entry {
    Key key;
    Pointer value;
    Time loaded;
    Time failed_until;
    std::exception_ptr failure;
  };
  struct Flight {
    Time since;
    std::vector<std::shared_ptr<Waiter>> waiters;
  };

  class State {
   public:
    State(CacheSettings settings, Loader loader)
        : settings_(std::move(settings)), loader_(std::move(loader)) {
      if (settings_.ttl.count() <= 0 || settings_.load_time.count() <= 0 ||
          settings_.entries == 0 || settings_.loads == 0) {
        throw Error("a cache's ttl, load_time, entries and loads must be more than 0");
      }
      if (settings_.refresh_after >= settings_.ttl) {
        throw Error("a cache's refresh_after must be less than its ttl, or 0");
      }
    }

    /// `known`: null, or what is not to be given as long as it can be loaded.
    Asked ask(const Key& key, const boost::asio::any_io_executor& executor, const Pointer& known) {
      const std::lock_guard lock(mutex_);
      const Time now = settings_.now();
      const Entry* const entry = find(key);
      const bool failed = entry != nullptr && entry->failure && now < entry->failed_until;
      if (entry != nullptr && entry->value) {
        const auto age = now - entry->loaded;
        const bool renews = entry->value == known && age >= settings_.renewal_pause && !failed;
        if (age < settings_.ttl && !renews) {
          const bool old = settings_.refresh_after.count() > 0 && age >= settings_.refresh_after;
          return {.starts = old && !failed && begin(key, now), .value = entry->value};
        }
        if (failed && age < settings_.ttl + settings_.stale) return {.value = entry->value};
      }
      if (failed) return {.failure = entry->failure};
      Asked asked{.starts = begin(key, now)};
      const auto flight = flights_.find(key);
      if (flight == flights_.end()) throw Overloaded("a cache has too many loads under way");
      asked.waiter = std::make_shared<Waiter>(Waiter{executor});
      flight->second.waiters.push_back(asked.waiter);
      return asked;
    }

    bool wants_refresh(const Key& key) {
      const std::lock_guard lock(mutex_);
      const Time now = settings_.now();
      const Entry* const entry = find(key);
      const bool failed = entry != nullptr && entry->failure && now < entry->failed_until;
      return !failed && begin(key, now);
    }

    std::chrono::milliseconds load_time() const { return settings_.load_time; }

    void leave(const Key& key, Waiter& waiter) {
      waiter.timer = nullptr;
      const std::lock_guard lock(mutex_);
      const auto flight = flights_.find(key);
      if (flight == flights_.end()) return;
      std::erase_if(flight->second.waiters,
                    [&waiter](const auto& one) { return one.get() == &waiter; });
    }

    Pointer usable(const Key& key) {
      const std::lock_guard lock(mutex_);
      const Entry* const entry = find(key);
      const bool usable = entry != nullptr && entry->value &&
                          settings_.now() - entry->loaded < settings_.ttl + settings_.stale;
      return usable ? entry->value : nullptr;
    }

    static void start(const std::shared_ptr<State>& state,
                      const boost::asio::any_io_executor& executor, const Key& key) {
      boost::asio::co_spawn(executor, load(state, key), boost::asio::detached);
    }

    /// Keeps what came, and tells all that wait for it.
    void ended(const Key& key, Pointer value, std::exception_ptr failure) {
      const std::lock_guard lock(mutex_);
      const Time now = settings_.now();
      Entry& entry = find_or_make(key);
      entry.failure = failure;
      if (value) {
        entry.value = value;
        entry.loaded = now;
      } else {
        ++counts_.failures;
        entry.failed_until = now + settings_.failure_ttl;
        if (entry.value && now - entry.loaded < settings_.ttl + settings_.stale) {
          value = entry.value;
        }
      }
      const auto flight = flights_.find(key);
      if (flight == flights_.end()) return;
      for (const std::shared_ptr<Waiter>& waiter : flight->second.waiters) {
        boost::asio::post(waiter->executor, [waiter, value, failure] {
          waiter->value = value;
          if (!value) waiter->failure = failure;
          if (waiter->timer != nullptr) waiter->timer->cancel();
        });
      }
      flights_.erase(flight);
    }

    void erase(const Key& key) {
      const std::lock_guard lock(mutex_);
      const auto found = by_key_.find(key);
      if (found == by_key_.end()) return;
      entries_.erase(found->second);
      by_key_.erase(found);
    }

    std::size_t size() {
      const std::lock_guard lock(mutex_);
      return entries_.size();
    }
    Counts counts() {
      const std::lock_guard lock(mutex_);
      return counts_;
    }

   private:
    static boost::asio::awaitable<void> load(std::shared_ptr<State> state, Key key) {
      Pointer value;
      std::exception_ptr failure;
      try {
        boost::asio::awaitable<Value> loading = state->loader_(key);
        Value loaded = co_await std::move(loading);
        value = std::make_shared<const Value>(std::move(loaded));
      } catch (...) {
        failure = std::current_exception();
      }
      state->ended(key, std::move(value), std::move(failure));
    }

    /// Whether a load of the key is to be started now.
    bool begin(const Key& key, Time now) {
      if (const auto flight = flights_.find(key); flight != flights_.end()) {
        if (now - flight->second.since < settings_.load_time) return false;
        flight->second.since = now;
      } else {
        if (flights_.size() >= settings_.loads) return false;
        flights_.emplace(key, Flight{now, {}});
      }
      ++counts_.loads;
      return true;
    }

    Entry* find(const Key& key) {
      const auto found = by_key_.find(key);
      if (found == by_key_.end()) return nullptr;
      entries_.splice(entries_.begin(), entries_, found->second);
      return &entries_.front();
    }

    Entry& find_or_make(const Key& key) {
      if (Entry* const known = find(key)) return *known;
      if (entries_.size() >= settings_.entries) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
      }
      entries_.push_front(Entry{key, nullptr, {}, {}, nullptr});
      by_key_.emplace(key, entries_.begin());
      return entries_.front();
    }

    const CacheSettings settings_;
    const Loader loader_;
    std::mutex mutex_;
    std::list<Entry> entries_;  // the one that was asked for last in front
    std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> by_key_;
    std::unordered_map<Key, Flight, Hash> flights_;
    Counts counts_;
  };

  std::shared_ptr<State> state_;
};

}  // namespace extproc
