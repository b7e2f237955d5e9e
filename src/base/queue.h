#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/recycle.h"

namespace extproc {

/// First in, first out. Unlike std::deque it has no memory of its own while it is empty, as it is
/// most of the time in most streams; unlike a vector it moves nothing when the first is taken.
template <class T>
class Queue {
 public:
  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  T& front() { return items_[first_]; }
  const T& front() const { return items_[first_]; }
  T& operator[](std::size_t index) { return items_[first_ + index]; }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }

  void push(T item) { items_.push_back(std::move(item)); }
  template <class... Arguments>
  T& emplace(Arguments&&... arguments) {
    return items_.emplace_back(std::forward<Arguments>(arguments)...);
  }
  T pop() {
    T taken = std::move(items_[first_++]);
    if (empty()) {
      clear();
    } else if (first_ > items_.size() / 2) {
      // Each move pays for one that was taken.
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    return taken;
  }
  /// What it has had room for is kept, unless that was much.
  void clear() {
    constexpr std::size_t kKept = 8;
    recycle(items_, kKept);
    first_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace extproc
