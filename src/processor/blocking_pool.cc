#include "extproc/detail/blocking_pool.h"

#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

namespace extproc::detail {

namespace {

// One of two that do this at once may be lost, and others follow.
void keep_longest(std::atomic<std::int64_t>& longest, std::int64_t time) {
  if (time > longest.load(std::memory_order_relaxed))
    longest.store(time, std::memory_order_relaxed);
}

}  // namespace

void ServiceTime::took(std::chrono::nanoseconds time) {
  keep_longest(longest_, time.count());
  keep_longest(expected_, time.count());
  if ((count_.fetch_add(1, std::memory_order_relaxed) + 1) % (kMemory / 2) == 0)
    expected_.store(longest_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
}

bool BlockingJob::can_end_in_time(Clock::time_point now) const {
  const auto alone = service_time_->expected();
  const auto with_wait = now - submitted_ + alone;
  return with_wait <= time_.certain && (with_wait <= time_.told || alone > time_.told);
}

// Where work takes longer than `time` by itself, nobody may wait for longer than that all the same.
bool BlockingJob::waits_long(Clock::time_point now) const {
  const auto time = time_.shortest();
  const auto alone = service_time_->expected();
  return now - submitted_ > (alone <= time ? time - alone : time) / 2;
}

void BlockingPool::submit(BlockingJob& job, const boost::asio::any_io_executor& executor,
                          ServiceTime& service_time, const TimeLeft& time) {
  job.service_time_ = &service_time;
  job.submitted_ = now_();
  job.time_ = time;
  job.guard_.emplace(executor);
  bool starts = false;
  Jobs refused;
  {
    const std::lock_guard lock(mutex_);
    if (!pool_) pool_ = std::make_unique<boost::asio::thread_pool>(threads_);
    undone_.fetch_add(1, std::memory_order_relaxed);
    if (working_ < threads_) {
      starts = true;
      ++working_;
    } else {
      refuse_late(job.submitted_, refused);
      Jobs& to = waiting_.size() < bound_ ? waiting_ : refused;
      to.push_back(&job);
      if (&to == &waiting_) job.place_ = std::prev(waiting_.end());
    }
  }
  if (starts) boost::asio::post(*pool_, [this, &job] { work(&job); });
  for (BlockingJob* each : refused) tell(*each, BlockingJob::End::refused);
}

void BlockingPool::withdraw(BlockingJob& job) {
  {
    const std::lock_guard lock(mutex_);
    if (!job.place_) return;
    take(*job.place_);
  }
  tell(job, BlockingJob::End::unwanted);
}

void BlockingPool::work(BlockingJob* job) {
  while (job != nullptr) {
    const auto start = now_();
    job->run();
    job->took_ = now_() - start;
    job->service_time_->took(job->took_);
    tell(*job, BlockingJob::End::ran);
    job = next();
  }
}

BlockingJob* BlockingPool::next() {
  BlockingJob* job = nullptr;
  Jobs refused;
  {
    const std::lock_guard lock(mutex_);
    const auto now = now_();
    while (job == nullptr) {
      refuse_late(now, refused);
      if (waiting_.empty()) {
        --working_;
        break;
      }
      const auto newest = std::prev(waiting_.end());
      job = take(waiting_.front()->waits_long(now) ? newest : waiting_.begin());
      if (job->can_end_in_time(now)) break;
      refused.push_back(std::exchange(job, nullptr));
    }
  }
  for (BlockingJob* each : refused) tell(*each, BlockingJob::End::refused);
  return job;
}

// The oldest come first, so that mostly none is late behind one that is not.
void BlockingPool::refuse_late(Clock::time_point now, Jobs& refused) {
  while (!waiting_.empty() && !waiting_.front()->can_end_in_time(now))
    refused.push_back(take(waiting_.begin()));
}

BlockingJob* BlockingPool::take(Jobs::iterator place) {
  BlockingJob* job = *place;
  waiting_.erase(place);
  job->place_.reset();
  return job;
}

// Posted before it counts as done, so that one who sees nothing undone finds it in the loop.
void BlockingPool::tell(BlockingJob& job, BlockingJob::End how) {
  auto guard = std::move(*job.guard_);
  const auto executor = guard.get_executor();
  boost::asio::post(executor, [&job, how, guard = std::move(guard)] { job.ended(how); });
  undone_.fetch_sub(1, std::memory_order_relaxed);
}

void BlockingPool::join() {
  boost::asio::thread_pool* pool = nullptr;
  {
    const std::lock_guard lock(mutex_);
    pool = pool_.get();
  }
  if (pool != nullptr) pool->join();
}

}  // namespace extproc::detail
