#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "extproc/body.h"
#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// Where the answers of an exchange go, in whatever form its host has them. All is called on the
/// exchange's thread. An answer is valid during the call, and so is `message`, what it answers as
/// its processor saw it; `extras`, null where there are none, go with it.
class AnswerSink {
 public:
  virtual void headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) = 0;
  /// The body may be taken out of it.
  virtual void body(Phase phase, const HttpBody& message, BodyResponse& answer) = 0;
  virtual void trailers(Phase phase, const HttpTrailers& message,
                        const TrailersResponse& answer) = 0;
  /// A piece of a body in FULL_DUPLEX_STREAMED or GRPC mode: what goes on in place of what came.
  virtual void piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) = 0;
  /// A response to the caller in place of the answer to `phase`; nothing follows but
  /// Control::finish().
  virtual void reply(Phase phase, const ImmediateResponse& response,
                     const ResponseExtras* extras) = 0;
  /// The same piece by piece: `headers` include ":status", and the end is told with the trailers,
  /// which may be none.
  virtual void reply_head(std::span<const Header> headers, const ResponseExtras* extras) = 0;
  virtual void reply_chunk(std::string_view bytes, const ResponseExtras* extras) = 0;
  virtual void reply_end(std::span<const Header> trailers, const ResponseExtras* extras) = 0;
  /// The handler needs more than the time that its host gives it.
  virtual void ask_for_time(std::chrono::milliseconds time) = 0;

  /// The processor is done with so many bytes of a direction's body, which `phase` is of.
  virtual void consumed(Phase phase, std::size_t bytes) = 0;
  /// Answers of the direction that `phase` is of wait because nobody takes them at present;
  /// Exchange::on_writable() is called when somebody does again.
  virtual bool congested(Phase phase) const = 0;
  /// The bytes of such answers, where the peer bounds what it takes.
  virtual std::size_t held_bytes() const = 0;

 protected:
  ~AnswerSink() = default;
};

}  // namespace extproc::exchange
