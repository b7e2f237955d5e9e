#include "filter/worker_loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>
#include <string>

#include "base/what_was_thrown.h"
#include "filter/abi.h"
#include "filter/envoy_log.h"

namespace extproc::filter {
namespace {

/// What comes while it runs is done at once, so many times; then others have their turn.
constexpr int kRounds = 16;

}  // namespace

void WorkerLoop::add(Member& member) {
  member.scheduler_ = EXTPROC_ENVOY_CALL(http_filter_scheduler_new)(member.envoy_);
  const std::lock_guard lock(mutex_);
  member.index_ = members_.size();
  members_.push_back(&member);
}

void WorkerLoop::remove(Member& member) {
  {
    // Until here its scheduler may be in use.
    const std::lock_guard lock(mutex_);
    members_.back()->index_ = member.index_;
    members_[member.index_] = members_.back();
    members_.pop_back();
    if (scheduled_ && scheduled_by_ == &member) {
      // Envoy does not call back any more for one that is gone.
      scheduled_ = false;
      if (!waiting_.empty()) schedule();
    }
  }
  EXTPROC_ENVOY_CALL(http_filter_scheduler_delete)(member.scheduler_);
}

void WorkerLoop::post(std::unique_ptr<Work> work) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(work));
  if (!scheduled_) schedule();
}

// With the mutex held, so that who is asked is not gone meanwhile.
void WorkerLoop::schedule() {
  scheduled_ = true;
  if (!members_.empty()) {
    scheduled_by_ = members_.back();
    EXTPROC_ENVOY_CALL(http_filter_scheduler_commit)(members_.back()->scheduler_, 1);
    return;
  }
  scheduled_by_ = nullptr;
  boost::asio::post(Background::instance().io(), [self = shared_from_this()] { self->run(true); });
}

void WorkerLoop::run(bool in_background) {
  const auto self = shared_from_this();
  const auto turn = this->turn();
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::unique_ptr<Work>> ready;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        scheduled_ = false;
        return;
      }
      // One has come meanwhile, and only its worker may do what is about it; none comes before this
      // turn is over.
      if (in_background && !members_.empty()) return schedule();
      ready.swap(waiting_);
    }
    run_all(std::move(ready));
  }
  const std::lock_guard lock(mutex_);
  scheduled_ = false;
  if (!waiting_.empty()) schedule();
}

void WorkerLoop::run_all(std::vector<std::unique_ptr<Work>> ready) {
  for (auto& work : ready) {
    std::optional<std::string> failure;
    try {
      work->run();
    } catch (...) {
      failure = what_was_thrown();
    }
    // Its end may be the end of what it is about.
    work.reset();
    if (failure && touched_.empty())
      log_to_envoy(LogLevel::error, "what a handler left behind failed: " + *failure);
    while (!touched_.empty()) {
      Touched* const next = touched_.back();
      touched_.pop_back();
      failure ? next->fail(*failure) : next->act();
    }
  }
}

void WorkerLoop::touch(Touched& touched) {
  if (std::ranges::find(touched_, &touched) == touched_.end()) touched_.push_back(&touched);
}

void WorkerLoop::forget(const Touched& touched) { std::erase(touched_, &touched); }

}  // namespace extproc::filter
