#pragma once

#include <span>
#include <string_view>

#include "extproc/headers.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"
#include "extproc/status.h"

namespace extproc {

class Context;
class Request;
struct TraceContext;

namespace exchange {

/// Makes a trace of what the streams of one thread do. Of a chain it is told the chain's streams
/// and phases, and the phases of its processors, whose requests and contexts are their own.
class Tracer {
 public:
  virtual ~Tracer() = default;

  virtual void begin(const Request& request, Context& context) = 0;
  /// The stream's first message, and its headers where those are the request's.
  virtual void first_message(const Request& request, Context& context,
                             std::span<const Header> headers) = 0;
  virtual void end(const Request& request, Context& context, GrpcStatus status,
                   bool cancelled) = 0;
  virtual void phase_begin(const Request& request, Context& context, std::string_view processor,
                           Phase phase) = 0;
  virtual void phase_end(const Request& request, Context& context, std::string_view processor,
                         Phase phase, PhaseOutcome outcome) = 0;
  /// The request's caller is answered in place of the phase that runs.
  virtual void immediate(const Request& request, int status) = 0;
  virtual void violation(const Request& request, Rule rule) = 0;
  /// Where the request is; null where that is not known yet.
  virtual const TraceContext* trace_of(const Request& request) const = 0;
};

}  // namespace exchange
}  // namespace extproc
