#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <coroutine>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "extproc/detail/task_context.h"

namespace extproc::detail {

inline void throw_failure(const boost::system::error_code& error) {
  if (error) throw boost::system::system_error(error);
}
inline void throw_failure(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

/// What an operation completed with: an error first, or none, then values.
template <class... Values>
class AsioResult {
 public:
  void store(Values... values) { values_.emplace(std::move(values)...); }

  decltype(auto) take() {
    if constexpr (sizeof...(Values) == 0) {
      return;
    } else if constexpr (kHasError) {
      throw_failure(std::get<0>(*values_));
      return std::apply([](auto&, auto&... rest) { return unwrap(std::move(rest)...); }, *values_);
    } else {
      return std::apply([](auto&... all) { return unwrap(std::move(all)...); }, *values_);
    }
  }

 private:
  static constexpr bool first_is_error() {
    if constexpr (sizeof...(Values) == 0) {
      return false;
    } else {
      using First = std::tuple_element_t<0, std::tuple<Values...>>;
      return std::is_same_v<First, boost::system::error_code> ||
             std::is_same_v<First, std::exception_ptr>;
    }
  }
  static constexpr bool kHasError = first_is_error();

  template <class... Rest>
  static auto unwrap(Rest&&... rest) {
    if constexpr (sizeof...(Rest) == 0) {
      return;
    } else if constexpr (sizeof...(Rest) == 1) {
      return (std::forward<Rest>(rest), ...);
    } else {
      return std::tuple<Rest...>(std::forward<Rest>(rest)...);
    }
  }

  std::optional<std::tuple<Values...>> values_;
};

template <class Signature>
struct AsioResultOf;
template <class Return, class... Args>
struct AsioResultOf<Return(Args...)> {
  using type = AsioResult<std::decay_t<Args>...>;
};

/// Awaits one asynchronous operation of Boost.Asio.
template <class Operation>
class AsioAwaiter {
 public:
  AsioAwaiter(TaskContext& context, Operation operation)
      : context_(context), operation_(std::move(operation)) {}

  bool await_ready() const noexcept { return context_.cancelled; }

  bool await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    starting_ = true;
    std::move(operation_)(Handler{this});
    starting_ = false;
    return !done_;
  }

  decltype(auto) await_resume() {
    if (!done_)
      throw_failure(boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    return result_.take();
  }

 private:
  struct Handler {
    AsioAwaiter* awaiter;

    using executor_type = boost::asio::any_io_executor;
    executor_type get_executor() const noexcept { return awaiter->context_.loop.executor; }

    using cancellation_slot_type = boost::asio::cancellation_slot;
    cancellation_slot_type get_cancellation_slot() const noexcept {
      return awaiter->context_.cancel.slot();
    }

    template <class... Args>
    void operator()(Args&&... args) {
      awaiter->result_.store(std::forward<Args>(args)...);
      // What cancels the operation refers to it, and it is over. Unless that is running just now;
      // it never does again.
      if (!awaiter->context_.cancelled) awaiter->context_.cancel.slot().clear();
      awaiter->done_ = true;
      if (!awaiter->starting_) awaiter->waiting_.resume();
    }
  };

  TaskContext& context_;
  Operation operation_;
  std::coroutine_handle<> waiting_;
  typename AsioResultOf<typename boost::asio::completion_signature_of<Operation>::type>::type
      result_;
  bool starting_ = false;
  bool done_ = false;
};

/// Awaits a coroutine of Boost.Asio, which runs on the stream's thread.
template <class T, class Executor>
auto await_asio_coroutine(TaskContext& context, boost::asio::awaitable<T, Executor> coroutine) {
  auto operation =
      boost::asio::co_spawn(context.loop.executor, std::move(coroutine), boost::asio::deferred);
  return AsioAwaiter<decltype(operation)>(context, std::move(operation));
}

}  // namespace extproc::detail
