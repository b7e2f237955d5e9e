#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/detail/time_left.h"
#include "extproc/detail/told_once.h"
#include "extproc/export.h"
#include "extproc/needs.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"

namespace extproc {

class BodyStream;
class OwnSettings;

class Context;
class Request;
class HttpHeaders;
class HttpBody;
class HttpTrailers;
class HeadersResponse;
class BodyResponse;
class TrailersResponse;
struct Completed;

namespace detail {

struct Fallback;

/// What a processor has besides handlers, as far as it is asked at set-up.
struct Traits {
  /// It is told of the end of each stream.
  bool completes = false;
  /// Its streams may end as soon as no phase that it handles can come.
  bool early_end = true;
  /// It takes other settings while it runs.
  bool reloads = false;
};

/// Told when a handler that suspended is done: once, on the stream's thread. `failure` is what it
/// threw, or null.
class Completion {
 public:
  virtual void complete(std::exception_ptr failure) noexcept = 0;
  /// Before that, of a fallback that the handler asked for on another thread.
  virtual void set_fallback(const Fallback& /*fallback*/) noexcept {}
  /// What is left for its answer. This and what follows: on the stream's thread, as long as it is
  /// not complete.
  virtual TimeLeft time_left() { return {}; }
  /// Work of it was not run for want of time.
  virtual void on_refused() noexcept {}
  /// Work of it took `time` on a blocking thread, longer than it had by TimeLeft::told.
  virtual void on_outlasted(std::chrono::nanoseconds /*time*/) noexcept {}

 protected:
  ~Completion() = default;
};

/// One call of a handler: the data and the response that belong to `phase` are set, the others
/// null. Everything lives until the call is complete.
struct Invocation {
  Phase phase;
  const HttpHeaders* headers = nullptr;
  const HttpBody* body = nullptr;
  const HttpTrailers* trailers = nullptr;
  Context* context = nullptr;
  Request* request = nullptr;
  HeadersResponse* headers_response = nullptr;
  BodyResponse* body_response = nullptr;
  TrailersResponse* trailers_response = nullptr;
  /// Set in place of `body` and `body_response` where the phase is in Dispatcher::streamed().
  BodyStream* body_stream = nullptr;
  Completion* completion = nullptr;
};

enum class Step : std::uint8_t {
  done,     ///< the handler has returned
  pending,  ///< it will tell the Completion; until then no other handler of the stream is called
};

/// What is logged once about a processor, besides the rules that its answers break.
enum class Advice : std::uint8_t {
  slow_handler,     ///< it held an I/O thread up
  message_timeout,  ///< the one that the server was told of is shorter than the work
  no_timer,         ///< a handler waits for long where Envoy waits for ever
  not_sent,         ///< a body that it has a handler for is not sent
};

/// One processor as the layers below the public API see it, whatever its style. Called from all
/// threads at once.
class EXTPROC_API Dispatcher {
 public:
  Dispatcher(std::string name, PhaseSet phases, bool suspends, PhaseSet streamed = {},
             Traits traits = {})
      : name_(std::move(name)),
        phases_(phases),
        streamed_(streamed),
        suspends_(suspends),
        traits_(traits) {}
  virtual ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const std::string& name() const { return name_; }
  /// The phases that have a handler.
  PhaseSet phases() const { return phases_; }
  /// The body phases in phases() whose handler runs over the whole body.
  PhaseSet streamed() const { return streamed_; }
  /// Whether call() may return pending, so that everything in its Invocation must outlive it.
  bool suspends() const { return suspends_; }
  /// Of a chain: of any of its processors, and early_end of all.
  const Traits& traits() const { return traits_; }

  /// Whether its handlers run on threads of their own.
  virtual bool blocks() const { return false; }

  /// The processors of a chain, in the order of the request; empty where it is none. A chain is
  /// not called itself.
  virtual std::span<const std::shared_ptr<const Dispatcher>> links() const { return {}; }

  /// Runs the handler of a phase in phases(). Throws what the handler throws before it first
  /// suspends.
  virtual Step call(Invocation& invocation) const = 0;

  /// The stream is over and no handler of it runs; on its thread. Where Traits::completes says so;
  /// a chain is not told itself. Throws what the processor throws.
  virtual void complete(const Completed& /*how*/, Context& /*context*/,
                        Request& /*request*/) const {}

  /// As Processor::start(), stop() and ready(); a chain's are asked one by one. They throw what the
  /// processor throws.
  virtual void start() const {}
  virtual void stop() const {}
  virtual bool ready() const { return true; }

  /// As Processor::needs(); of a chain what its filter must have. Throws Error where that cannot
  /// be.
  virtual Needs needs() const { return {}; }

  using Reload = std::function<void(const OwnSettings&)>;
  /// In place of what it had. Before it is served.
  void set_reload(Reload reload) const { reload_ = std::move(reload); }
  bool reloads() const { return reload_ != nullptr; }
  /// One call at a time, whatever the thread; where reloads(). Throws what the processor throws.
  void reload(const OwnSettings& settings) const {
    const std::lock_guard lock(reload_mutex_);
    reload_(settings);
  }

  /// True for the first caller only, of all threads: for advice about this processor that is logged
  /// once.
  bool advise_once(Advice advice) const {
    const auto topic = static_cast<std::uint8_t>(1U << static_cast<unsigned>(advice));
    return (advised_.load(std::memory_order_relaxed) & topic) == 0 &&
           (advised_.fetch_or(topic, std::memory_order_relaxed) & topic) == 0;
  }
  /// The same for each header or field that breaks a rule.
  bool advise_once(Rule rule, std::string_view field) const {
    return advise_once(to_string(rule), field);
  }
  bool advise_once(std::string_view topic, std::string_view of) const {
    return told_.first(std::string(topic).append(" ").append(of));
  }

 private:
  std::string name_;
  PhaseSet phases_;
  PhaseSet streamed_;
  bool suspends_;
  Traits traits_;
  mutable std::atomic<std::uint8_t> advised_{0};
  mutable ToldOnce told_;
  mutable Reload reload_;
  mutable std::mutex reload_mutex_;
};

/// How a processor of type P becomes a Dispatcher: specialised by processor.h, handlers.h and
/// async.h.
template <class P>
struct DispatcherFactory {
  static_assert(sizeof(P) == 0,
                "not a processor: derive from extproc::Processor, or from extproc::AsyncProcessor "
                "(and include "
                "<extproc/async.h>), or use extproc::Handlers");
};

template <class P>
std::shared_ptr<const Dispatcher> make_dispatcher(std::shared_ptr<P> processor) {
  return DispatcherFactory<P>::make(std::move(processor));
}

}  // namespace detail
}  // namespace extproc
