#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "extproc/detail/event_loop.h"
#include "extproc/task.h"

namespace extproc {

namespace detail {

template <class Work>
class Offload {
 public:
  using Result = std::invoke_result_t<Work&>;

  explicit Offload(Work work) : work_(std::forward<Work>(work)) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    static_assert(std::derived_from<Promise, TaskPromiseBase>,
                  "offload(...) can be awaited in a Task only");
    run_blocking(
        waiting.promise().context().loop, [this] { run(); }, [waiting] { waiting.resume(); });
  }

  Result await_resume() {
    if (failure_) std::rethrow_exception(failure_);
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  struct Nothing {};

  void run() noexcept {
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

  Work work_;  // a reference where the callable is named
  std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// Runs `work()` on a blocking thread (Settings::blocking_threads) while the stream's thread serves
/// other streams:
///
///   const bool allowed = co_await offload([&] { return database.lookup(token); });
///
/// Gives what it returns, or throws what it throws, back on the stream's thread. The coroutine
/// waits for it even when the stream is cancelled, so capturing its locals by reference is safe.
/// Captures by value that are more than plain data need a name (`auto work = [text] {…}; co_await
/// offload(work);`): GCC 12 destroys such temporaries of a co_await twice.
template <class Work>
[[nodiscard]] auto offload(Work&& work) {
  static_assert(std::is_lvalue_reference_v<Work> ||
                    (std::is_trivially_copyable_v<Work> && std::is_trivially_destructible_v<Work>),
                "give the callable a name first, and pass that: GCC 12 miscompiles a co_await with "
                "such a temporary in it. Or "
                "capture by reference, which is safe here");
  return detail::Offload<Work>(std::forward<Work>(work));
}

}  // namespace extproc
