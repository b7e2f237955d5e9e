#include "idempotency_store.h"

#include <extproc/redis.h>

#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <utility>

namespace {

class MemoryStore final : public IdempotencyStore {
 public:
  explicit MemoryStore(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  extproc::Task<std::optional<std::string>> take(std::string key, std::string owner,
                                                 Milliseconds time) override {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known != entries_.end() && Clock::now() < known->second.until) {
      co_return known->second.value;
    }
    set(key, std::move(owner), time);
    co_return std::nullopt;
  }

  extproc::Task<> give(std::string key, std::string owner, std::optional<std::string> value,
                       Milliseconds time) override {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end() || known->second.value != owner) co_return;
    if (value) {
      set(key, std::move(*value), time);
    } else {
      drop(known);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::string value;
    Clock::time_point until;
    std::list<std::string>::iterator age;
  };
  using Entries = std::map<std::string, Entry>;

  void set(const std::string& key, std::string value, Milliseconds time) {
    if (const auto known = entries_.find(key); known != entries_.end()) drop(known);
    bytes_ += key.size() + value.size();
    ages_.push_back(key);
    entries_[key] = {std::move(value), Clock::now() + time, std::prev(ages_.end())};
    while (bytes_ > most_bytes_ && entries_.size() > 1) drop(entries_.find(ages_.front()));
  }
  void drop(Entries::iterator entry) {
    bytes_ -= entry->first.size() + entry->second.value.size();
    ages_.erase(entry->second.age);
    entries_.erase(entry);
  }

  const std::size_t most_bytes_;
  std::mutex mutex_;
  Entries entries_;
  std::list<std::string> ages_;  // the oldest in front
  std::size_t bytes_ = 0;
};

class RedisStore final : public IdempotencyStore {
 public:
  explicit RedisStore(const extproc::redis::Settings& settings)
      : unsure_(settings.time * 4), redis_(settings) {}

  extproc::Task<std::optional<std::string>> take(std::string key, std::string owner,
                                                 Milliseconds time) override {
    const extproc::redis::Value taken =
        co_await redis_.command("SET", key, owner, "NX", "PX", unsure_.count());
    if (taken.is_ok()) {
      // One whose answer never came here is taken by nobody, and is so for a moment only.
      co_await give(key, owner, owner, time);
      co_return std::nullopt;
    }
    extproc::redis::Value known = co_await redis_.command("GET", key);
    // It was over between the two: whoever asks next has it.
    if (known.is_null()) co_return std::string();
    co_return std::move(known.text);
  }

  extproc::Task<> give(std::string key, std::string owner, std::optional<std::string> value,
                       Milliseconds time) override {
    constexpr const char* kSet =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then"
        " return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end";
    constexpr const char* kDelete =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end";
    if (value) {
      co_await redis_.command("EVAL", kSet, 1, key, owner, *value, time.count());
    } else {
      co_await redis_.command("EVAL", kDelete, 1, key, owner);
    }
  }

 private:
  const Milliseconds unsure_;
  extproc::redis::Client redis_;
};

}  // namespace

std::unique_ptr<IdempotencyStore> make_memory_store(std::size_t most_bytes) {
  return std::make_unique<MemoryStore>(most_bytes);
}

std::unique_ptr<IdempotencyStore> make_redis_store(const std::string& url,
                                                   std::chrono::milliseconds wait) {
  auto settings = extproc::redis::Settings::from_url(url);
  settings.time = settings.connect_time = wait;
  return std::make_unique<RedisStore>(settings);
}
