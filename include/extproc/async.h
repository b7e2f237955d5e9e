#pragma once

// Asynchronous handlers: the public header that brings Boost.Asio.

#include <boost/asio/any_io_executor.hpp>
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "extproc/body_stream.h"
#include "extproc/extproc.h"
#include "extproc/offload.h"
#include "extproc/task.h"

namespace extproc {

/// A processor whose handlers are coroutines. Derive from it and override the phases of interest,
/// as with Processor. A body is handled message by message (process_request_body), or by one
/// coroutine over the whole of it (stream_request_body), which is right in every body mode; not by
/// both.
///
/// The arguments live until the coroutine returns, also when the stream is cancelled meanwhile:
/// then cancellation is requested and the answer dropped. Later messages of the stream wait; other
/// streams go on. Threads, errors and StopRequestProcessing are as for Processor.
class EXTPROC_API AsyncProcessor {
 public:
  AsyncProcessor() = default;
  virtual ~AsyncProcessor();
  AsyncProcessor(const AsyncProcessor&) = delete;
  AsyncProcessor& operator=(const AsyncProcessor&) = delete;

  virtual Task<> process_request_headers(const HttpHeaders& headers, Context& context,
                                         Request& request, HeadersResponse& response);
  virtual Task<> process_request_body(const HttpBody& body, Context& context, Request& request,
                                      BodyResponse& response);
  virtual Task<> process_request_trailers(const HttpTrailers& trailers, Context& context,
                                          Request& request, TrailersResponse& response);
  virtual Task<> process_response_headers(const HttpHeaders& headers, Context& context,
                                          Request& request, HeadersResponse& response);
  virtual Task<> process_response_body(const HttpBody& body, Context& context, Request& request,
                                       BodyResponse& response);
  virtual Task<> process_response_trailers(const HttpTrailers& trailers, Context& context,
                                           Request& request, TrailersResponse& response);

  /// Called when the body's first message comes; without a body never.
  virtual Task<> stream_request_body(BodyStream& body, Context& context, Request& request);
  virtual Task<> stream_response_body(BodyStream& body, Context& context, Request& request);

  /// As those of Processor.
  virtual Needs needs() const;
  virtual void on_complete(const Completed& how, Context& context, Request& request);
  virtual bool early_end() const { return true; }
  virtual void start();
  virtual void stop();
  virtual bool ready() const { return true; }
  virtual std::string name() const;
  /// As that of Processor.
  virtual void reload(const OwnSettings& settings);
};

/// The executor of the stream's thread: what timers, sockets and resolvers of an asynchronous
/// handler are made with.
EXTPROC_API boost::asio::any_io_executor executor(const Context& context);

namespace detail {

/// Starts a handler's coroutine; when it suspends, invocation.completion is told later.
EXTPROC_API Step start_task(Task<> task, const Invocation& invocation);

template <>
struct TaskStarter<Task<>> : std::true_type {
  static Step start(Task<> task, const Invocation& invocation) {
    return start_task(std::move(task), invocation);
  }
};

EXTPROC_API std::shared_ptr<const Dispatcher> make_async_dispatcher(
    std::shared_ptr<AsyncProcessor> processor, PhaseSet phases, PhaseSet streamed, Traits traits);

template <class Member>
constexpr bool streams() {
  using Class = typename MemberClass<Member>::type;
  if constexpr (std::is_same_v<Class, AsyncProcessor>) {
    return false;
  } else {
    static_assert(
        std::is_same_v<Member, Task<> (Class::*)(BodyStream&, Context&, Request&)>,
        "a stream_<phase> member is Task<> (BodyStream&, Context&, Request&): with another "
        "signature it would never be called. Write `override` behind it and the compiler "
        "names the difference");
    return true;
  }
}

/// The body phases that P handles as a whole.
template <class P>
constexpr PhaseSet streamed_phases() {
  static_assert(
      requires {
        &P::stream_request_body;
        &P::stream_response_body;
      },
      "stream_request_body and stream_response_body must each be one public member function: it is "
      "private, or overloaded");
  PhaseSet phases;
  if (streams<decltype(&P::stream_request_body)>()) phases.insert(Phase::request_body);
  if (streams<decltype(&P::stream_response_body)>()) phases.insert(Phase::response_body);
  return phases;
}

template <class P>
struct StreamsBody<AsyncProcessor, P> : std::bool_constant<!streamed_phases<P>().empty()> {};

template <class P>
  requires std::derived_from<P, AsyncProcessor>
struct DispatcherFactory<P> {
  static std::shared_ptr<const Dispatcher> make(std::shared_ptr<P> processor) {
    constexpr PhaseSet kStreamed = streamed_phases<P>();
    static_assert(
        (overridden_phases<AsyncProcessor, Task<>, P>() & kStreamed).empty(),
        "a body is handled by process_<phase>_body or by stream_<phase>_body, not by both");
    const PhaseSet phases = handled_phases<AsyncProcessor, Task<>>(*processor, kStreamed);
    const Traits traits = traits_of<AsyncProcessor>(*processor);
    return make_async_dispatcher(std::move(processor), phases, kStreamed & phases, traits);
  }
};

}  // namespace detail
}  // namespace extproc
