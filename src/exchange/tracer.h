#pragma once

#include <cstdint>
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
}  // namespace extproc

namespace extproc::exchange {

/// Whether a stream's spans are kept.
enum class Traced : std::uint8_t {
  no,
  undecided,  ///< until its first message
  yes,
};

/// Whose phase it is. That of a chain is told besides those of its processors.
struct Whose {
  std::string_view processor;
  /// It is one of a chain's processors.
  bool in_chain = false;
};

/// Keeps the spans of the streams of one thread, and has the contexts tell of them. `stream` is the
/// request of the exchange that its host has; of a chain it is that of the chain, whichever
/// processor the call is about, and the context is that of whose handlers it is about. On the
/// stream's thread, in the path of a request.
class Tracer {
 public:
  virtual ~Tracer() = default;

  /// A stream begins; of it the context tells the gRPC call alone.
  virtual Traced begin(const Request& stream, Context& context) = 0;
  /// Its first message has come and no handler has seen it: `headers` are the request's, or none
  /// where it brings others. Of streams that are undecided; whether spans are kept.
  virtual bool decide(const Request& stream, Context& context, std::span<const Header> headers) = 0;
  /// It is over. `owed`: its peer cancelled it while an answer was owed. Of every stream.
  virtual void end(const Request& stream, Context& context, GrpcStatus status, bool cancelled,
                   bool owed) = 0;

  // Of streams whose spans are kept.
  virtual void phase_begin(const Request& stream, Context& context, const Whose& whose,
                           Phase phase) = 0;
  virtual void phase_end(const Request& stream, Context& context, const Whose& whose, Phase phase,
                         PhaseOutcome outcome) = 0;

  // Rare, and of any stream.
  virtual void immediate(const Request& stream, const Whose& whose, Phase phase, int status) = 0;
  virtual void violation(const Request& stream, const Whose& whose, Phase phase, Rule rule) = 0;

  /// Where its own span is; null where that is not known yet.
  virtual const TraceContext* trace_of(const Request& stream) const = 0;
};

}  // namespace extproc::exchange
