#pragma once

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "filter/background.h"

namespace extproc::filter {

/// Something to be done once.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run() = 0;
};

/// One of Envoy's workers, for one filter: what was handed in from any thread is done on it. Envoy
/// can only be asked for that on behalf of an HTTP stream that is there. While there is none, the
/// background thread does it; it and the worker take turns.
class WorkerLoop : public std::enable_shared_from_this<WorkerLoop> {
 public:
  /// An HTTP stream that is on the worker, from add() to remove().
  class Member {
   public:
    explicit Member(void* envoy) : envoy_(envoy) {}

   private:
    friend class WorkerLoop;
    void* envoy_;
    void* scheduler_ = nullptr;
    std::size_t index_ = 0;
  };

  /// Told behind each piece of work that touched it.
  class Touched {
   public:
    virtual void act() noexcept = 0;
    /// In place of that, where the work failed.
    virtual void fail(std::string_view what) noexcept = 0;

   protected:
    ~Touched() = default;
  };

  // On the worker.

  void add(Member& member);
  void remove(Member& member);
  /// Of a hook: no other thread runs what belongs to the worker.
  std::unique_lock<std::recursive_mutex> turn() { return std::unique_lock(turn_); }

  // On the worker, or on the background thread in its turn.

  /// Does what was handed in.
  void run() { run(false); }
  /// Act is called when what is being done has returned. Once, until then.
  void touch(Touched& touched);
  /// It is destroyed.
  void forget(const Touched& touched);

  // Any thread.

  void post(std::unique_ptr<Work> work);

 private:
  void run(bool in_background);
  void schedule();
  void run_all(std::vector<std::unique_ptr<Work>> ready);

  std::recursive_mutex turn_;
  std::vector<Touched*> touched_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Work>> waiting_;
  std::vector<Member*> members_;
  /// Somebody was asked to call run(): a member, or null for the background thread.
  bool scheduled_ = false;
  const Member* scheduled_by_ = nullptr;
};

/// A Boost.Asio executor of it, whose timers and sockets the background thread watches.
class WorkerExecutor {
 public:
  explicit WorkerExecutor(std::shared_ptr<WorkerLoop> loop) : loop_(std::move(loop)) {}

  // NOLINTBEGIN(readability-convert-member-functions-to-static): as Boost.Asio calls them
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
    return Background::instance().io();
  }
  static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  WorkerExecutor require(boost::asio::execution::blocking_t::never_t) const { return *this; }
  // NOLINTEND(readability-convert-member-functions-to-static)

  template <class F>
  void execute(F f) const {
    loop_->post(std::make_unique<Function<F>>(std::move(f)));
  }

  friend bool operator==(const WorkerExecutor& a, const WorkerExecutor& b) noexcept {
    return a.loop_ == b.loop_;
  }
  friend bool operator!=(const WorkerExecutor& a, const WorkerExecutor& b) noexcept {
    return !(a == b);
  }

 private:
  template <class F>
  class Function final : public Work {
   public:
    explicit Function(F f) : f_(std::move(f)) {}
    void run() override { std::move(f_)(); }

   private:
    F f_;
  };

  std::shared_ptr<WorkerLoop> loop_;
};

}  // namespace extproc::filter
