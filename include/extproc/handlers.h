#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "extproc/detail/dispatcher.h"
#include "extproc/export.h"
#include "extproc/processor.h"

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
/// A handler returns nothing, or Task<> when it is a coroutine (<extproc/async.h>). One for a body
/// phase may also be a coroutine over the whole body: (BodyStream&, Context&, Request&). Handlers
/// are called from all threads at once; what they capture lives as long as this object, and needs
/// its own synchronisation. Register everything before it is served. Errors and time are as for
/// Processor.
class EXTPROC_API Handlers {
 public:
  /// `name` is what logs and the chain header show. Throws Error when it is empty.
  explicit Handlers(std::string name);

  /// Registers the handler of a phase. Throws Error when it has one already.
  template <Phase phase, class F>
  Handlers& process(F handler) {
    if constexpr (std::is_invocable_v<F&, BodyStream&, Context&, Request&> &&
                  (phase == Phase::request_body || phase == Phase::response_body)) {
      return stream<phase>(std::move(handler));
    } else {
      return process_message<phase>(std::move(handler));
    }
  }

  /// As Processor::blocking(); not together with coroutines.
  Handlers& blocking(bool blocking = true) {
    blocking_ = blocking;
    return *this;
  }

  /// As Processor::on_complete(): (const Completed&, Context&, Request&). Throws Error when there
  /// is one already.
  Handlers& on_complete(std::function<void(const Completed&, Context&, Request&)> told);
  /// As Processor::early_end().
  Handlers& early_end(bool early_end) {
    traits_.early_end = early_end;
    return *this;
  }

  /// As Processor::needs().
  Handlers& needs(Needs needs) {
    needs_ = std::move(needs);
    return *this;
  }
  /// As Processor::start(), stop() and ready(); a later one takes the place of an earlier.
  Handlers& on_start(std::function<void()> start) {
    start_ = std::move(start);
    return *this;
  }
  Handlers& on_stop(std::function<void()> stop) {
    stop_ = std::move(stop);
    return *this;
  }
  Handlers& ready_when(std::function<bool()> ready) {
    ready_ = std::move(ready);
    return *this;
  }

  const std::string& name() const { return name_; }
  PhaseSet handled_phases() const;

 private:
  friend class detail::HandlersDispatcher;
  using Function = std::function<detail::Step(detail::Invocation&)>;

  template <Phase phase, class F>
  Handlers& process_message(F handler) {
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

  template <Phase phase, class F>
  Handlers& stream(F handler) {
    using Result = std::invoke_result_t<F&, BodyStream&, Context&, Request&>;
    static_assert(detail::TaskStarter<Result>::value,
                  "a handler over a whole body is a coroutine: it returns extproc::Task<>");
    suspends_ = true;
    streamed_.insert(phase);
    add(phase, [handler = std::move(handler)](detail::Invocation& i) mutable {
      return detail::TaskStarter<Result>::start(handler(*i.body_stream, *i.context, *i.request), i);
    });
    return *this;
  }

  void add(Phase phase, Function function);

  std::string name_;
  std::array<Function, kPhaseCount> functions_;
  std::function<void(const Completed&, Context&, Request&)> on_complete_;
  Needs needs_;
  std::function<void()> start_, stop_;
  std::function<bool()> ready_;
  PhaseSet streamed_;
  detail::Traits traits_;
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
