#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/memory_account.h"

namespace extproc::grpc {

/// Buffers that the calls of one thread use in turn: a call holds one only while bytes wait in it,
/// so that an idle call costs nothing and a busy one neither allocates nor touches fresh pages. The
/// large ones, for bodies, are kept apart, and few of them.
class BufferPool {
 public:
  /// `account`: what is told of what the thread's connections hold; must outlive it, may be null.
  explicit BufferPool(MemoryAccount* account = nullptr) : account_(account) {}

  /// A connection holds so many bytes more, or less.
  void count(std::ptrdiff_t bytes) {
    if (account_ != nullptr) account_->add(bytes);
  }
  /// All connections of the process together hold more than they may.
  bool over_limit() const { return account_ != nullptr && account_->over_limit(); }

  /// An empty string, with a large capacity when there is one to be had: for a message whose size
  /// is not known yet. fit() is to be called when it is.
  std::string take();
  /// An empty string with a capacity of `bytes`, at most twice as much where that is large.
  std::string take(std::size_t bytes);
  /// Has what `buffer` holds in another one if it is much too large for that.
  void fit(std::string& buffer);
  /// Leaves `buffer` empty and without capacity.
  void give_back(std::string& buffer);

  /// What a buffer in use counts for: a small one its bytes, a large one all of its memory.
  static std::size_t weight(const std::string& buffer) {
    return buffer.capacity() <= kLargestSmall ? buffer.size() : buffer.capacity();
  }

 private:
  static constexpr std::size_t kLargestSmall = std::size_t{16} << 10;
  static constexpr std::size_t kLargestKept = std::size_t{2} << 20;

  struct Buffers {
    std::size_t most_bytes;
    std::vector<std::string> free{};
    std::size_t bytes = 0;

    std::string take(std::size_t index);
    void add(std::string buffer);
  };
  MemoryAccount* const account_;
  Buffers small_{.most_bytes = std::size_t{256} << 10};
  Buffers large_{.most_bytes = std::size_t{8} << 20};
};

}  // namespace extproc::grpc
