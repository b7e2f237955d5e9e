#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "extproc/body.h"
#include "extproc/completed.h"
#include "extproc/context.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/export.h"
#include "extproc/headers.h"
#include "extproc/needs.h"
#include "extproc/own_settings.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/response.h"

namespace extproc {

/// A processor whose handlers are plain functions. Derive from it and override the phases of
/// interest; a phase that is not overridden is answered with "continue" without a call.
///
/// Threads: one object is called from all of the server's threads at once, so its own members need
/// synchronisation; `context`, `request` and `response` belong to the call. Handlers of one request
/// run one after another.
///
/// Errors: an exception that escapes ends the stream with a gRPC error (UNKNOWN) and is logged and
/// counted; other streams do not notice. StopRequestProcessing is an answer, not an error.
///
/// Time: a handler runs on an I/O thread, and other streams wait for it. One that blocks belongs on
/// threads of its own: see blocking(), or write an AsyncProcessor (<extproc/async.h>).
class EXTPROC_API Processor {
 public:
  Processor() = default;
  virtual ~Processor();
  Processor(const Processor&) = delete;
  Processor& operator=(const Processor&) = delete;

  virtual void process_request_headers(const HttpHeaders& headers, Context& context,
                                       Request& request, HeadersResponse& response);
  virtual void process_request_body(const HttpBody& body, Context& context, Request& request,
                                    BodyResponse& response);
  virtual void process_request_trailers(const HttpTrailers& trailers, Context& context,
                                        Request& request, TrailersResponse& response);
  virtual void process_response_headers(const HttpHeaders& headers, Context& context,
                                        Request& request, HeadersResponse& response);
  virtual void process_response_body(const HttpBody& body, Context& context, Request& request,
                                     BodyResponse& response);
  virtual void process_response_trailers(const HttpTrailers& trailers, Context& context,
                                         Request& request, TrailersResponse& response);

  /// What Envoy's filter must have for this processor besides the phases that it handles. Asked
  /// where a configuration is written or checked, and at set-up by each server: it tells what is
  /// always so.
  virtual Needs needs() const;

  /// Once for each stream, when it has ended, however it did, and all handlers of it have returned
  /// or were dropped; in a chain, those of all its processors, which then are told in the order of
  /// the request. What state<T>() holds is destroyed behind it. `context` tells what it last told;
  /// Context::abort does nothing any more.
  ///
  /// On the stream's I/O thread, also for processors that are blocking(): it must not block. What
  /// it throws is logged and counted as a handler's failure. Like a phase it is found by the
  /// concrete type; a processor without it costs nothing. A stream may be over before its HTTP
  /// request is: see early_end(). Streams whose handlers have not returned when the process ends
  /// are not told of.
  virtual void on_complete(const Completed& how, Context& context, Request& request);

  /// False: streams of this processor do not end before the client ends them, even where nothing
  /// with a handler can come any more, so that on_complete() sees the end of the HTTP request.
  /// Envoy then waits for an answer to everything that the filter sends. Asked once, at set-up.
  virtual bool early_end() const { return true; }

  /// Where the processor's own work begins: threads, connections, what is to be loaded. Called once
  /// by each server of it, before its port is open, on the thread that called Server::start() or
  /// serve(); in a chain in the order of the request. What it throws keeps the server from serving:
  /// Server::start() then throws an Error that names the processor and what it threw, and
  /// serve() prints it; those of a chain that had started are stopped. `extproc config` and
  /// `check`, hosts of extproc/host.h and the test kit call none of the three.
  virtual void start();
  /// Where that ends: once for each start(), in a chain in reverse order, when the last stream is
  /// over and all handlers have returned, on a thread of the server's own that Server::join() and
  /// serve() wait for. What it throws is logged. Not called where the process ends without handlers
  /// that do not return.
  virtual void stop();
  /// Whether requests may come. Health is NOT_SERVING, so that Envoy sends them elsewhere, until
  /// each processor of the server has said yes; then it is not asked any more. Requests that come
  /// meanwhile are served. Asked behind start(), on one thread at a time and about ten times a
  /// second, handlers running or not: it must be quick. What it throws counts as no, and is logged.
  virtual bool ready() const { return true; }

  /// In logs and in the chain header. The class's own name, without namespaces, unless overridden.
  /// Asked once, at set-up.
  virtual std::string name() const;

  /// True: all handlers run on the server's blocking threads (Settings::blocking_threads), so that
  /// they may block. Asked once, at set-up.
  virtual bool blocking() const { return false; }

  /// Takes other settings of its own while it runs: serve_settings_file() and `extproc serve
  /// --settings` call it on SIGHUP where what the file says of this processor has changed, and
  /// Service::reload() does for a program. `settings` are all of them, as at construction. A
  /// processor without it keeps its settings until a restart, and the log says so.
  ///
  /// One call at a time, behind start(), on a thread that is none of the server's: handlers run
  /// meanwhile on theirs, so that what they read must be exchanged as a whole, as a
  /// std::atomic<std::shared_ptr<const State>> does. It may block. What it throws (also by reading
  /// `settings`) is logged, and what was there must stay: read all before anything is changed.
  /// Where one processor of several throws, those that had taken theirs are called again with what
  /// they had before. The server may end, and stop() be called, before it returns.
  virtual void reload(const OwnSettings& settings);
};

/// The base processor: it changes nothing, and with LOG_LEVEL=DEBUG shows what comes.
/// What the command serves when no other is named. The name is the Python SDK's.
class EXTPROC_API BaseExtProcService final : public Processor {
 public:
  PhaseSet handled_phases() const { return PhaseSet::all(); }
};

namespace detail {

EXTPROC_API std::string class_name(const std::type_info& type);

/// What belongs to a phase: the data and the response of its handlers.
template <Phase phase>
struct PhaseTraits;
template <>
struct PhaseTraits<Phase::request_headers> {
  using Data = HttpHeaders;
  using Response = HeadersResponse;
};
template <>
struct PhaseTraits<Phase::request_body> {
  using Data = HttpBody;
  using Response = BodyResponse;
};
template <>
struct PhaseTraits<Phase::request_trailers> {
  using Data = HttpTrailers;
  using Response = TrailersResponse;
};
template <>
struct PhaseTraits<Phase::response_headers> : PhaseTraits<Phase::request_headers> {};
template <>
struct PhaseTraits<Phase::response_body> : PhaseTraits<Phase::request_body> {};
template <>
struct PhaseTraits<Phase::response_trailers> : PhaseTraits<Phase::request_trailers> {};

/// Calls `handler(data, context, request, response)` with what the invocation holds for `phase`.
template <Phase phase, class Handler>
decltype(auto) call_with(Invocation& invocation, Handler&& handler) {
  using Data = typename PhaseTraits<phase>::Data;
  auto& context = *invocation.context;
  auto& request = *invocation.request;
  if constexpr (std::is_same_v<Data, HttpHeaders>) {
    return handler(*invocation.headers, context, request, *invocation.headers_response);
  } else if constexpr (std::is_same_v<Data, HttpBody>) {
    return handler(*invocation.body, context, request, *invocation.body_response);
  } else {
    return handler(*invocation.trailers, context, request, *invocation.trailers_response);
  }
}

/// The member function that a class has as a phase's handler, with the arguments that every handler
/// has.
template <class Class, class Result, Phase phase>
using HandlerMember = Result (Class::*)(const typename PhaseTraits<phase>::Data&, Context&,
                                        Request&, typename PhaseTraits<phase>::Response&);

template <class Member>
struct MemberClass {
  using type = void;
};
template <class Result, class Class, class... Args>
struct MemberClass<Result (Class::*)(Args...)> {
  using type = Class;
};

/// An override has another member-pointer type than the base's function; that type also tells a
/// wrong signature.
template <class Base, class Result, Phase phase, class Member>
constexpr bool overrides() {
  using Class = typename MemberClass<Member>::type;
  if constexpr (std::is_same_v<Class, Base>) {
    return false;
  } else {
    static_assert(std::is_same_v<Member, HandlerMember<Class, Result, phase>>,
                  "a process_<phase> member has another signature than the handler of that phase: "
                  "it would never be called. "
                  "Write `override` behind it and the compiler names the difference");
    return true;
  }
}

#define EXTPROC_DETAIL_OVERRIDDEN(phase)                                                      \
  static_assert(                                                                              \
      requires { &P::process_##phase; },                                                      \
      "process_" #phase " must be one public member function: it is private, or overloaded"); \
  if (overrides<Base, Result, Phase::phase, decltype(&P::process_##phase)>())                 \
  phases.insert(Phase::phase)

/// The phases whose handler P, or a class between it and Base, overrides.
template <class Base, class Result, class P>
constexpr PhaseSet overridden_phases() {
  PhaseSet phases;
  EXTPROC_DETAIL_OVERRIDDEN(request_headers);
  EXTPROC_DETAIL_OVERRIDDEN(request_body);
  EXTPROC_DETAIL_OVERRIDDEN(request_trailers);
  EXTPROC_DETAIL_OVERRIDDEN(response_headers);
  EXTPROC_DETAIL_OVERRIDDEN(response_body);
  EXTPROC_DETAIL_OVERRIDDEN(response_trailers);
  return phases;
}

#undef EXTPROC_DETAIL_OVERRIDDEN

/// Whether P handles a body as a whole; async.h knows.
template <class Base, class P>
struct StreamsBody : std::false_type {};

/// What a processor says itself (`PhaseSet handled_phases() const`), else what its type tells;
/// `streamed` are those that it handles in another way.
template <class Base, class Result, class P>
PhaseSet handled_phases(const P& processor, PhaseSet streamed = {}) {
  if constexpr (requires {
                  { processor.handled_phases() } -> std::same_as<PhaseSet>;
                }) {
    return processor.handled_phases();
  } else {
    static_assert(!std::is_same_v<P, Base>,
                  "the phases of a processor are read from its concrete type, which is not known "
                  "here: pass the concrete "
                  "type, or give the class a member `PhaseSet handled_phases() const`");
    constexpr PhaseSet kPhases = overridden_phases<Base, Result, P>();
    static_assert(!kPhases.empty() || StreamsBody<Base, P>::value,
                  "the processor overrides none of process_request_headers, process_request_body, "
                  "process_request_trailers, "
                  "process_response_headers, process_response_body, process_response_trailers");
    return kPhases | streamed;
  }
}

/// Whether P, or a class between it and Base, has on_complete.
template <class Base, class P>
constexpr bool overrides_on_complete() {
  static_assert(
      requires { &P::on_complete; },
      "on_complete must be one public member function: it is private, or overloaded");
  using Member = decltype(&P::on_complete);
  using Class = typename MemberClass<Member>::type;
  static_assert(std::is_same_v<Member, void (Class::*)(const Completed&, Context&, Request&)>,
                "an on_complete member is void (const Completed&, Context&, Request&): with "
                "another signature it would never be called. Write `override` behind it and the "
                "compiler names the difference");
  return !std::is_same_v<Class, Base>;
}

/// Whether P, or a class between it and Base, has reload. A member of another form is P's own
/// affair.
template <class Base, class P>
constexpr bool overrides_reload() {
  if constexpr (requires { &P::reload; }) {
    using Member = decltype(&P::reload);
    using Class = typename MemberClass<Member>::type;
    if constexpr (std::is_same_v<Member, void (Class::*)(const OwnSettings&)>)
      return !std::is_same_v<Class, Base>;
  }
  return false;
}

template <class Base, class P>
Traits traits_of(const P& processor) {
  return {.completes = overrides_on_complete<Base, P>(),
          .early_end = processor.early_end(),
          .reloads = overrides_reload<Base, P>()};
}

EXTPROC_API std::shared_ptr<const Dispatcher> make_processor_dispatcher(
    std::shared_ptr<Processor> processor, PhaseSet phases, Traits traits);

template <class P>
  requires std::derived_from<P, Processor>
struct DispatcherFactory<P> {
  static std::shared_ptr<const Dispatcher> make(std::shared_ptr<P> processor) {
    const PhaseSet phases = handled_phases<Processor, void>(*processor);
    const Traits traits = traits_of<Processor>(*processor);
    return make_processor_dispatcher(std::move(processor), phases, traits);
  }
};

}  // namespace detail
}  // namespace extproc
