#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "extproc/detail/dispatcher.h"
#include "extproc/processor.h"
#include "extproc/version.h"

namespace extproc {

namespace detail {
class HandlersDispatcher;

/// Whether a handler's result is a coroutine's; async.h says yes for Task<>.
template <class Result>
struct TaskStarter : std::false_type {};
}  // namespace detail

/// A processor made of registered functions instead of a class:
///
///   extproc::Handlers service{"DecoratedExtProcService"};
///   service.process<extproc::Phase::request_headers>([](auto& headers, auto& context, auto&
///   request, auto& response) { … }); return extproc::serve(service);
///
/// A handler returns nothing, or Task<> when it is a coroutine (<extproc/async.h>). Handlers are
/// called from all threads at once; what they capture lives as long as this object, and needs its
/// own synchronisation. Register everything before it is served. Errors and time are as for
/// Processor.
class EXTPROC_API Handlers {
 public:
  using Function = std::function<detail::Step(detail::Invocation&)>;

  /// `name` is what logs and the chain header show. Throws Error when it is empty.
  explicit Handlers(std::string name);

  /// Registers the handler of a phase. Throws Error when it has one already.
  template <Phase phase, class F>
  Handlers& process(F handler) {
    using Data = typename detail::PhaseTraits<phase>::Data;
    using Response = typename detail::PhaseTraits<phase>::Response;
    static_assert(std::is_invocable_v<F&, const Data&, Context&, Request&, Response&>,
                  "a handler takes (data, context, request, response): const HttpHeaders&, const "
                  "HttpBody& or const "
                  "HttpTrailers&; Context&; Request&; and the response of its phase");
    using Result = std::invoke_result_t<F&, const Data&, Context&, Request&, Response&>;
    if constexpr (std::is_void_v<Result>) {
      add(phase, [handler = std::move(handler)](detail::Invocation& invocation) mutable {
        detail::call_with<phase>(invocation, handler);
        return detail::Step::done;
      });
    } else {
      static_assert(detail::TaskStarter<Result>::value,
                    "a handler returns void, or extproc::Task<> when it is a coroutine; changes "
                    "are made to `response`");
      suspends_ = true;
      add(phase, [handler = std::move(handler)](detail::Invocation& invocation) mutable {
        return detail::TaskStarter<Result>::start(detail::call_with<phase>(invocation, handler),
                                                  invocation);
      });
    }
    return *this;
  }

  /// As Processor::blocking(); not together with coroutines.
  Handlers& blocking(bool blocking = true) {
    blocking_ = blocking;
    return *this;
  }

  const std::string& name() const { return name_; }
  PhaseSet handled_phases() const;

 private:
  friend class detail::HandlersDispatcher;

  void add(Phase phase, Function function);

  std::string name_;
  std::array<Function, kPhaseCount> functions_;
  bool suspends_ = false;
  bool blocking_ = false;
};

namespace detail {

EXTPROC_API std::shared_ptr<const Dispatcher> make_handlers_dispatcher(
    std::shared_ptr<Handlers> handlers);

template <>
struct DispatcherFactory<Handlers> {
  static std::shared_ptr<const Dispatcher> make(std::shared_ptr<Handlers> handlers) {
    return make_handlers_dispatcher(std::move(handlers));
  }
};

}  // namespace detail
}  // namespace extproc
