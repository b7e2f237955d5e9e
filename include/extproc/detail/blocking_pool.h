#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "extproc/detail/time_left.h"
#include "extproc/export.h"

namespace extproc::detail {

/// How long one kind of work takes. Any thread.
class EXTPROC_API ServiceTime {
 public:
  /// A slow one is forgotten behind so many that are quick, however slow it was.
  static constexpr unsigned kMemory = 16;

  /// The longest of the last, of which there are kMemory / 2 to kMemory: where short and long work
  /// mix, one that waited too long to be a long one is better not begun, and loses nothing as long
  /// as others wait as well.
  std::chrono::nanoseconds expected() const {
    return std::chrono::nanoseconds(expected_.load(std::memory_order_relaxed));
  }
  void took(std::chrono::nanoseconds time);

 private:
  std::atomic<std::int64_t> expected_{0};
  std::atomic<std::int64_t> longest_{0};  // of this half of kMemory
  std::atomic<unsigned> count_{0};
};

/// Why work was refused, as logs and Envoy are told.
inline constexpr const char* kRefused =
    "the blocking threads are busy: it could not have ended in time";

/// Work for a blocking thread. Whoever makes it keeps it until ended().
class EXTPROC_API BlockingJob {
 public:
  enum class End : std::uint8_t {
    ran,
    unwanted,  ///< not run: withdrawn
    refused,   ///< not run: it could not have ended in time, or too many wait
  };

  BlockingJob() = default;
  BlockingJob(const BlockingJob&) = delete;
  BlockingJob& operator=(const BlockingJob&) = delete;

 protected:
  virtual ~BlockingJob() = default;
  /// Once it has run: for how long.
  std::chrono::nanoseconds took() const { return took_; }
  /// Whether that alone was longer than TimeLeft::told.
  bool outlasted() const { return took_ > time_.told; }

 private:
  friend class BlockingPool;
  using Clock = std::chrono::steady_clock;

  /// On a blocking thread.
  virtual void run() noexcept = 0;
  /// On the executor that it was submitted with; the last that is heard.
  virtual void ended(End how) noexcept = 0;

  bool can_end_in_time(Clock::time_point now) const;
  bool waits_long(Clock::time_point now) const;

  ServiceTime* service_time_ = nullptr;
  Clock::time_point submitted_;
  TimeLeft time_;
  std::chrono::nanoseconds took_ = std::chrono::nanoseconds::min();
  // Keeps the executor's loop going until the end was told.
  std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> guard_;
  // While it waits.
  std::optional<std::list<BlockingJob*>::iterator> place_;
};

/// The threads for work that blocks, one pool for all I/O threads of a server; they are started
/// when first needed.
///
/// Where a thread is free, a job starts at once. Others wait: the oldest goes first, unless it has
/// lost half of the time that it had to wait; then the newest, since under a load that is too much
/// all would else be answered at the last moment. Those that cannot end in time any more are
/// refused. Against TimeLeft::told that is so only where it is the wait that makes them late: work
/// that would be late without it as well runs, since Envoy then seems to wait longer than the
/// server was told. (Where it does not, it ends the stream, which withdraws the job.) An
/// expectation that is too high costs those that wait, and none that need not, from which it is
/// measured anew.
class EXTPROC_API BlockingPool {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned kDefaultThreads = 16;
  static constexpr unsigned kDefaultQueue = 4096;
  /// As the time of a job: whenever it ends, it is in time.
  static constexpr TimeLeft kNoHurry{};

  /// `queue`: how many jobs may wait. `now`: for tests.
  explicit BlockingPool(unsigned threads = kDefaultThreads, std::size_t queue = kDefaultQueue,
                        Clock::time_point (*now)() = &Clock::now)
      : threads_(threads), bound_(queue), now_(now) {}

  /// Runs it, or does not, and tells it through `executor`, whose loop is kept going meanwhile.
  /// `time`: what is left for it, from now on. All must outlive it. Throws std::system_error where
  /// there are no threads to be had.
  void submit(BlockingJob& job, const boost::asio::any_io_executor& executor,
              ServiceTime& service_time, const TimeLeft& time);
  /// Nobody waits for it any more: where it has not begun, it does not. On its executor.
  void withdraw(BlockingJob& job);
  /// Waits for the work that was handed in. The last call.
  void join();
  /// Work was handed in whose end was not told.
  bool busy() const { return undone_.load(std::memory_order_relaxed) != 0; }
  /// How many wait for a thread.
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  using Jobs = std::list<BlockingJob*>;

  void work(BlockingJob* job);
  BlockingJob* next();
  void refuse_late(Clock::time_point now, Jobs& refused);
  BlockingJob* take(Jobs::iterator place);
  void tell(BlockingJob& job, BlockingJob::End how);

  const unsigned threads_;
  const std::size_t bound_;
  Clock::time_point (*const now_)();
  std::atomic<unsigned> undone_{0};
  mutable std::mutex mutex_;
  std::unique_ptr<boost::asio::thread_pool> pool_;
  unsigned working_ = 0;
  Jobs waiting_;
};

}  // namespace extproc::detail
