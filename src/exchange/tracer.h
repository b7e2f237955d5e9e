#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "extproc/headers.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"
#include "extproc/status.h"
#include "metrics/span_ids.h"

namespace extproc {
class Context;
class Request;
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

/// Keeps the spans of the streams of one thread. `stream` is the request of the exchange that its
/// host has, whose address is the same in every call about one stream; of a chain it is that of the
/// chain, whichever processor the call is about. What a tracer keeps for a stream it finds by that
/// address. On the stream's thread, in the path of a request.
class Tracer {
 public:
  virtual ~Tracer() = default;

  /// A stream begins; of it the context tells the gRPC call alone. After `no` nothing of it is
  /// told but what is said below to be of any stream.
  virtual Traced begin(const Request& stream, const Context& context,
                       std::string_view processor) = 0;
  /// Its first message has come and no handler has seen it: `headers` are the request's, or none
  /// where it brings others. Of streams that are undecided; false ends what is kept of one.
  virtual bool decide(const Request& stream, const Context& context,
                      std::span<const Header> headers) = 0;
  /// It is over, `cancelled` by its peer. Of each that is not decided against; also of those for
  /// which no message came.
  virtual void end(const Request& stream, const Context& context, GrpcStatus status, bool cancelled,
                   std::chrono::nanoseconds duration) = 0;

  // Of streams that are traced.
  virtual void phase_begin(const Request& stream, const Context& context, const Whose& whose,
                           Phase phase) = 0;
  virtual void phase_end(const Request& stream, const Context& context, const Whose& whose,
                         Phase phase, PhaseOutcome outcome, std::chrono::nanoseconds duration) = 0;
  /// Of its own span.
  virtual metrics::SpanIds ids(const Request& stream) const = 0;

  // Rare, and of any stream: those that are not kept are not found.
  virtual void immediate(const Request& stream, const Whose& whose, Phase phase, int status) = 0;
  virtual void violation(const Request& stream, const Whose& whose, Phase phase, Rule rule) = 0;
};

}  // namespace extproc::exchange
