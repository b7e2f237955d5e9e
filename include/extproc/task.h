#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "extproc/detail/asio_await.h"
#include "extproc/detail/task_context.h"

namespace extproc {

template <class T = void>
class Task;

namespace detail {

class Access;

/// Told when the outermost coroutine of a handler call is done, which it may destroy then.
class TaskOwner {
 public:
  virtual void on_task_done() noexcept = 0;

 protected:
  ~TaskOwner() = default;
};

class TaskPromiseBase {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  /// Goes on with whoever waits. A coroutine that finishes while it is being started is left to its
  /// starter, so that a loop of awaits that complete at once does not grow the stack.
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> done) noexcept {
      TaskPromiseBase& promise = done.promise();
      if (promise.starting_) return;
      // Either may destroy this coroutine: nothing of it is touched afterwards.
      if (promise.continuation_) {
        promise.continuation_.resume();
      } else {
        promise.owner_->on_task_done();
      }
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { failure_ = std::current_exception(); }

  template <class T>
  Task<T>&& await_transform(Task<T>&& task) noexcept {
    return std::move(task);
  }
  /// An operation of Boost.Asio, as `timer.async_wait(boost::asio::deferred)` makes one.
  template <class Operation>
    requires boost::asio::is_async_operation<Operation>::value
  auto await_transform(Operation&& operation) {
    return AsioAwaiter<std::decay_t<Operation>>(*context_, std::forward<Operation>(operation));
  }
  /// What boost::asio::use_awaitable makes, and any other coroutine of Asio.
  template <class T, class Executor>
  auto await_transform(boost::asio::awaitable<T, Executor> coroutine) {
    return await_asio_coroutine(*context_, std::move(coroutine));
  }
  /// Anything else that can be awaited.
  template <class Awaitable>
    requires(!boost::asio::is_async_operation<Awaitable>::value)
  Awaitable&& await_transform(Awaitable&& awaitable) noexcept {
    return std::forward<Awaitable>(awaitable);
  }

  TaskContext& context() { return *context_; }
  std::exception_ptr take_failure() { return std::exchange(failure_, nullptr); }

  /// Runs the coroutine until it first suspends; true when it is done by then. Otherwise the
  /// continuation, or else the owner, goes on later.
  static bool start(std::coroutine_handle<> coroutine, TaskPromiseBase& promise,
                    TaskContext& context, std::coroutine_handle<> continuation, TaskOwner* owner) {
    promise.context_ = &context;
    promise.continuation_ = continuation;
    promise.owner_ = owner;
    promise.starting_ = true;
    coroutine.resume();
    promise.starting_ = false;
    return coroutine.done();
  }

 private:
  TaskContext* context_ = nullptr;
  std::coroutine_handle<> continuation_;
  TaskOwner* owner_ = nullptr;
  std::exception_ptr failure_;
  bool starting_ = false;
};

template <class T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take_value() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take_value() noexcept {}
};

}  // namespace detail

/// What an asynchronous handler returns, and any coroutine that it awaits. It starts when it is
/// awaited and gives its value, or throws what it threw. In it can be awaited: another Task;
/// `offload(...)`; and whatever Boost.Asio can do, with `boost::asio::deferred` (the cheapest),
/// `boost::asio::use_awaitable`, or as `boost::asio::awaitable<T>`.
///
/// It is always resumed on its stream's thread, whatever thread the awaited thing completed on.
/// When the stream is cancelled, the Asio operation that is awaited is cancelled, and it and each
/// later one throw boost::system::system_error with boost::asio::error::operation_aborted.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) {
    static_assert(std::derived_from<Promise, detail::TaskPromiseBase>,
                  "a Task can be awaited in a Task only; in other coroutines there is no stream to "
                  "resume it on");
    return !detail::TaskPromiseBase::start(coroutine_, coroutine_.promise(),
                                           waiting.promise().context(), waiting, nullptr);
  }
  T await_resume() {
    if (auto failure = coroutine_.promise().take_failure()) std::rethrow_exception(failure);
    return coroutine_.promise().take_value();
  }

 private:
  friend class detail::Access;
  friend promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle coroutine) noexcept : coroutine_(coroutine) {}

  bool start(detail::TaskContext& context, detail::TaskOwner& owner) {
    return detail::TaskPromiseBase::start(coroutine_, coroutine_.promise(), context, nullptr,
                                          &owner);
  }
  std::exception_ptr take_failure() { return coroutine_.promise().take_failure(); }

  Handle coroutine_;
};

namespace detail {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace detail
}  // namespace extproc
