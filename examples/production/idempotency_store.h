#pragma once

#include <extproc/task.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

/// Where answers are kept by key, and who works on one: of one process, or of all that share a
/// Redis. What a store throws means that it cannot say.
class IdempotencyStore {
 public:
  using Milliseconds = std::chrono::milliseconds;

  virtual ~IdempotencyStore() = default;

  /// Takes the key for `owner`, for `time` at most. Nothing: it was free, and is the owner's now;
  /// else what is there.
  virtual extproc::Task<std::optional<std::string>> take(std::string key, std::string owner,
                                                         Milliseconds time) = 0;
  /// `value` in place of the owner, unless the key is another's by now; nothing: it is free again.
  virtual extproc::Task<> give(std::string key, std::string owner, std::optional<std::string> value,
                               Milliseconds time) = 0;
};

/// Of this process; beyond `most_bytes` the oldest go.
std::unique_ptr<IdempotencyStore> make_memory_store(std::size_t most_bytes);
/// `url` as redis::Settings has it; `wait`: for each of its answers.
std::unique_ptr<IdempotencyStore> make_redis_store(const std::string& url,
                                                   std::chrono::milliseconds wait);
