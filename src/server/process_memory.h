#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/memory_account.h"

namespace extproc::server {

/// One thread that holds memory for peers, as ProcessMemory reaches it: any thread calls it.
class MemoryHolder {
 public:
  class Survey;
  /// Has `survey` told, on the holder's own thread, of the connection that holds most there.
  virtual void survey(std::shared_ptr<Survey> survey) = 0;
  /// Closes the connection that holds most by then, on the same thread, if it holds as much as
  /// `least` bytes.
  virtual void shed(std::size_t least) = 0;

 protected:
  ~MemoryHolder() = default;
};

/// What all servers of the process hold for their peers, and what is done when that is too much:
/// of all connections the one that holds most is closed, and the next one, until it is not.
class ProcessMemory {
 public:
  static ProcessMemory& instance();

  void add(MemoryHolder& holder);
  void remove(MemoryHolder& holder);

  /// One of the holders has so many bytes more, or less. `limit` is its server's; true when all
  /// together are over it.
  bool change(std::ptrdiff_t bytes, std::size_t limit);
  std::size_t held() const {
    const std::ptrdiff_t bytes = bytes_.load(std::memory_order_relaxed);
    return bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
  }
  /// A connection was closed, or was not there any more; goes on where that was not enough.
  void end_shedding(std::size_t limit);

 private:
  friend class MemoryHolder::Survey;

  void begin_shedding();
  void give_up_shedding() { shedding_.store(false, std::memory_order_release); }

  std::atomic<std::ptrdiff_t> bytes_{0};
  std::atomic<bool> shedding_{false};
  std::mutex mutex_;
  std::vector<MemoryHolder*> holders_;
};

/// Asks all threads; when the last one has answered, or is gone, the one that told of most sheds.
class MemoryHolder::Survey {
 public:
  explicit Survey(ProcessMemory& memory) : memory_(memory) {}
  ~Survey();
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  /// The connection of `holder` that holds most holds so much.
  void tell(MemoryHolder& holder, std::size_t bytes);

 private:
  ProcessMemory& memory_;
  std::mutex mutex_;
  MemoryHolder* most_of_ = nullptr;
  std::size_t most_ = 0;
};

}  // namespace extproc::server
