#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "extproc/phase.h"
#include "extproc/version.h"

namespace extproc {

class Context;
class Request;
class HttpHeaders;
class HttpBody;
class HttpTrailers;
class HeadersResponse;
class BodyResponse;
class TrailersResponse;

namespace detail {

/// Told when a handler that suspended is done: once, on the stream's thread. `failure` is what it
/// threw, or null.
class Completion {
 public:
  virtual void complete(std::exception_ptr failure) noexcept = 0;

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
  Completion* completion = nullptr;
};

enum class Step : std::uint8_t {
  done,     ///< the handler has returned
  pending,  ///< it will tell the Completion; until then no other handler of the stream is called
};

/// One processor as the layers below the public API see it, whatever its style. Called from all
/// threads at once.
class EXTPROC_API Dispatcher {
 public:
  Dispatcher(std::string name, PhaseSet phases, bool suspends)
      : name_(std::move(name)), phases_(phases), suspends_(suspends) {}
  virtual ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const std::string& name() const { return name_; }
  /// The phases that have a handler.
  PhaseSet phases() const { return phases_; }
  /// Whether call() may return pending, so that everything in its Invocation must outlive it.
  bool suspends() const { return suspends_; }

  /// Runs the handler of a phase in phases(). Throws what the handler throws before it first
  /// suspends.
  virtual Step call(Invocation& invocation) const = 0;

  /// True for the first caller only, of all threads: for advice about this processor that is logged
  /// once.
  bool advise_once() const { return !advised_.test_and_set(std::memory_order_relaxed); }

 private:
  std::string name_;
  PhaseSet phases_;
  bool suspends_;
  mutable std::atomic_flag advised_;
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
