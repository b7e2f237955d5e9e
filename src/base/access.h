#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <stop_token>

#include "extproc/body_stream.h"
#include "extproc/context.h"
#include "extproc/request.h"
#include "extproc/response.h"
#include "extproc/server.h"
#include "extproc/service.h"
#include "extproc/streamed_response.h"

namespace extproc {

template <class T>
class Task;

namespace detail {

struct TaskContext;
class TaskOwner;

/// What the library does with objects that users hold, and users have no use for. The public
/// classes keep it private and name this one as their friend.
class Access {
 public:
  static const std::shared_ptr<const Dispatcher>& dispatcher(const Service& service) {
    return service.dispatcher_;
  }

  // Server

  /// As join(), but ends when the grace period is over and handlers have not returned, which it
  /// tells the log of. False then.
  static bool join_within_grace_period(Server& server) { return server.join_within_grace_period(); }
  /// Its log, whose level may change while it runs.
  static const Logger& logger(const Server& server) { return server.logger(); }
  /// `source` is from where it is set, for operators who ask.
  static void set_log_level(Server& server, LogLevel level, std::string_view source) {
    server.set_log_level(level, source);
  }
  /// Its limits and the level of its log are from where `given` notes them, where they are as they
  /// are there.
  static void take_sources(Server& server, const Settings& given) { server.take_sources(given); }

  // Context

  static void begin(Context& context, const CallInfo* info, EventLoop* loop, bool cancellable) {
    context.info_ = info;
    context.loop_ = loop;
    context.cancel_ = cancellable ? std::stop_source() : std::stop_source(std::nostopstate);
    forget_extras(context);
    context.messages_ = &context.own_messages_;
    context.own_messages_.protocol_config.reset();
    context.own_messages_.observability_mode = false;
  }
  /// For a handler that runs beside others of its stream, and is cancelled and aborts by itself:
  /// `context` tells what `of` does, which must outlive it.
  static void begin_beside(Context& context, const Context& of, bool cancellable = true) {
    context.info_ = of.info_;
    context.loop_ = of.loop_;
    context.cancel_ = cancellable ? std::stop_source() : std::stop_source(std::nostopstate);
    forget_extras(context);
    if (const TraceContext* span = of.trace()) context.some_extras().span = span;
    context.messages_ = of.messages_;
  }
  /// It is over for now: what it kept of messages is given up.
  static void end(Context& context) { context.own_messages_.forget(); }
  static void request_cancel(Context& context) { context.cancel_.request_stop(); }
  /// After a handler alone was cancelled: the next ones are not.
  static void renew_cancel(Context& context) { context.cancel_ = std::stop_source(); }
  static MessageContext& messages(Context& context) { return context.own_messages_; }
  static const MessageContext& messages(const Context& context) { return context.own_messages_; }
  /// Null where it keeps none.
  static const MessageContext::Data* data(const Context& context) {
    return context.own_messages_.data.get();
  }
  /// Null when it is not.
  static const Abort* aborted(const Context& context) {
    return context.extras_ != nullptr && context.extras_->abort ? &*context.extras_->abort
                                                                : nullptr;
  }
  /// Null: none. It must outlive what is told of it.
  static void set_trace(Context& context, const TraceContext* span) {
    if (span != nullptr || context.extras_ != nullptr) context.some_extras().span = span;
  }
  static EventLoop* loop(const Context& context) { return context.loop_; }
  /// Null for none.
  static const CallInfo* call(const Context& context) { return context.info_; }

  // Request

  /// What whoever traces knows the stream by.
  static std::uint32_t& trace(const Request& stream) { return stream.shared_with_->trace_; }
  /// Takes over the standard headers, where there are some, and notes the phase.
  static void begin_phase(Request& request, Phase phase, const HeaderView* headers) {
    request.begin_phase(phase, headers);
  }
  /// What the processors of a chain share is with `chain`, which must outlive it.
  static void share(Request& request, Request& chain) { request.shared_with_ = &chain; }
  /// That of the exchange which its host has: of a chain's processor that of the chain.
  static const Request& of_stream(const Request& request) { return *request.shared_with_; }
  static void end_phase(Request& request, std::chrono::nanoseconds spent) {
    request.overhead_ += spent;
  }

  // The responses

  /// Made where there are none.
  static ResponseExtras& extras(PhaseResponse& response) { return response.extras(); }
  static void drop_extras(PhaseResponse& response) { response.extras_.reset(); }
  /// Null when there is none, or a listener was told of it.
  static const Fallback* fallback(const PhaseResponse& response) {
    return response.fallback_.get();
  }
  /// Null where it does not wait.
  static const BodyWait* body_wait(const HeadersResponse& response) {
    return response.body_wait_.get();
  }
  /// Until the next reset.
  static void listen_to_fallback(PhaseResponse& response, FallbackListener* listener) {
    response.fallback_listener_ = listener;
  }
  static void drop_replacement(HeadersResponse& response) { response.replacement_.reset(); }
  /// What came goes on.
  static void drop_body_change(BodyResponse& response) {
    response.change_ = BodyChange::none;
    response.body_.clear();
  }
  /// What respond_streaming gives.
  static StreamedResponse& streamed(HeadersResponse& response) { return response.streamed_; }
  /// Where it goes; null for nowhere. Until the next reset.
  static void stream_to(HeadersResponse& response, StreamedResponseSink* sink) {
    response.streamed_.reset(sink);
  }

  // Each is fresh afterwards; memory is kept for the next use.

  static void reset(Request& request) { request.reset(); }
  static void reset(HeadersResponse& response) { response.reset(); }
  static void reset(BodyResponse& response) { response.reset(); }
  static void reset(TrailersResponse& response) { response.reset(); }

  // Coroutines

  static BodyStream body_stream(BodyChannel& channel, Phase phase) {
    return BodyStream(channel, phase);
  }
  /// Starts the outermost coroutine of a handler. True when it is done; else the owner is told.
  template <class T>
  static bool start(Task<T>& task, TaskContext& context, TaskOwner& owner) {
    return task.start(context, owner);
  }
  /// What one that is done threw, or null.
  template <class T>
  static std::exception_ptr take_failure(Task<T>& task) {
    return task.take_failure();
  }

 private:
  static void forget_extras(Context& context) {
    if (context.extras_ != nullptr) *context.extras_ = {};
  }
};

}  // namespace detail
}  // namespace extproc
