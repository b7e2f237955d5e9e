#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace extproc::testing::envoy {

/// What a module counts under one configuration. Any thread.
class ModuleStatistics {
 public:
  enum class Kind : std::uint8_t { counter, gauge };

  /// Its number.
  std::size_t define(Kind kind, std::string_view name) {
    const std::lock_guard lock(mutex_);
    all_.push_back({kind, std::string(name)});
    return all_.size() - 1;
  }
  /// Wraps around, as what is taken away of a gauge.
  void add(std::size_t number, std::uint64_t value) {
    const std::lock_guard lock(mutex_);
    all_.at(number).value += value;
  }
  std::uint64_t value(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    for (const One& one : all_)
      if (one.name == name) return one.value;
    return 0;
  }
  /// Without those that are 0.
  std::map<std::string, std::uint64_t> counters() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::uint64_t> moved;
    for (const One& one : all_)
      if (one.kind == Kind::counter && one.value > 0) moved[one.name] = one.value;
    return moved;
  }

 private:
  struct One {
    Kind kind;
    std::string name;
    std::uint64_t value = 0;
  };

  mutable std::mutex mutex_;
  std::vector<One> all_;
};

}  // namespace extproc::testing::envoy
