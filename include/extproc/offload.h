#pragma once

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "extproc/detail/asio_await.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/detail/task_context.h"
#include "extproc/error.h"
#include "extproc/task.h"

namespace extproc {

namespace detail {

template <class Work>
class OffloadAwaiter final : private BlockingJob {
 public:
  using Result = std::invoke_result_t<Work&>;

  explicit OffloadAwaiter(Work work) : work_(std::forward<Work>(work)) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) {
    static_assert(std::derived_from<Promise, TaskPromiseBase>,
                  "offload(...) can be awaited in a Task only");
    TaskContext& context = waiting.promise().context();
    if (context.cancelled) return false;
    context_ = &context;
    waiting_ = waiting;
    context.loop.blocking.submit(*this, context.loop.executor, service_time_,
                                 context.completion.time_left());
    context.cancel.slot().assign(
        [this](boost::asio::cancellation_type) { context_->loop.blocking.withdraw(*this); });
    return true;
  }

  Result await_resume() {
    if (end_ == End::refused) throw Overloaded(kRefused);
    if (end_ == End::unwanted)
      throw_failure(boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    if (failure_) std::rethrow_exception(failure_);
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  struct Nothing {};

  void ended(End how) noexcept override {
    end_ = how;
    // As with an operation of Asio.
    if (!context_->cancelled) context_->cancel.slot().clear();
    if (how == End::refused) context_->completion.on_refused();
    if (outlasted()) context_->completion.on_outlasted(took());
    waiting_.resume();
  }

  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Result>) {
        work_();
      } else {
        result_.emplace(work_());
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  // Each lambda has a type, and so a time, of its own.
  inline static ServiceTime service_time_;

  Work work_;  // a reference where the callable is named
  TaskContext* context_ = nullptr;
  std::coroutine_handle<> waiting_;
  End end_ = End::unwanted;
  std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
  std::exception_ptr failure_;
};

/// What offload() gives. GCC 12 awaits a copy of what a co_await is given, which a job that is
/// under way cannot be: it is made behind that.
template <class Work>
struct Offload {
  OffloadAwaiter<Work> operator co_await() {
    return OffloadAwaiter<Work>(std::forward<Work>(work));
  }

  Work work;
};

}  // namespace detail

/// Runs `work()` on a blocking thread (Settings::blocking_threads) while the stream's thread serves
/// other streams:
///
///   const bool allowed = co_await offload([&] { return database.lookup(token); });
///
/// Gives what it returns, or throws what it throws, back on the stream's thread. Once it has begun,
/// the coroutine waits for it even when the stream is cancelled, so capturing its locals by
/// reference is safe.
///
/// Work that nobody waits for does not begin: of a stream that was cancelled before, it throws what
/// operations of Asio do then, operation_aborted. Where all blocking threads are busy it waits, and
/// throws Overloaded once it can no longer end in time: by how long such work took of late, and the
/// filter's message_timeout (FilterSettings), the handler's fallback and the stream's deadline.
/// Work that would be late by message_timeout without its wait as well is not refused for that.
///
/// Captures by value that are more than plain data need a name (`auto work = [text] {…}; co_await
/// offload(work);`): GCC 12 destroys such temporaries of a co_await twice.
template <class Work>
[[nodiscard]] auto offload(Work&& work) {
  static_assert(std::is_lvalue_reference_v<Work> ||
                    (std::is_trivially_copyable_v<Work> && std::is_trivially_destructible_v<Work>),
                "give the callable a name first, and pass that: GCC 12 miscompiles a co_await with "
                "such a temporary in it. Or "
                "capture by reference, which is safe here");
  return detail::Offload<Work>{std::forward<Work>(work)};
}

}  // namespace extproc
