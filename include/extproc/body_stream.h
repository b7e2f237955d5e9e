#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string_view>

#include "extproc/body.h"
#include "extproc/export.h"
#include "extproc/pace.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"

namespace extproc {

namespace detail {

class Access;
class WrappedBody;

/// What a BodyStream reads from and writes to. Used on the stream's thread only.
class BodyChannel {
 public:
  /// The handler is done with the chunk that it read last.
  virtual void next_wanted() = 0;
  /// Whether next() has something to tell.
  virtual bool ready() = 0;
  /// `handler` is resumed once ready() holds. One at a time.
  virtual void wait(std::coroutine_handle<> handler) = 0;
  /// The next chunk; nothing at the end. Throws when the stream was cancelled.
  virtual std::optional<HttpBody> next() = 0;
  virtual bool writable() = 0;
  virtual void wait_writable(std::coroutine_handle<> handler) = 0;
  virtual void set_pace(const Pace& pace) = 0;
  /// Throws when the stream was cancelled.
  virtual void check_open() = 0;
  virtual void write(std::string_view bytes, bool compressed) = 0;
  virtual void finish() = 0;
  virtual std::optional<BodySendMode> mode() const = 0;
  virtual BodyResponse& response() = 0;

 protected:
  ~BodyChannel() = default;
};

}  // namespace detail

/// The whole body of a request or response, for a handler that is a coroutine over it:
///
///   while (auto chunk = co_await body.read()) body.write(transform(chunk->bytes()));
///
/// The same handler is right in every body mode. What is written takes the place of what was read:
/// - BUFFERED, BUFFERED_PARTIAL: one chunk comes, and all that is written leaves when the handler
///   returns.
/// - STREAMED: each chunk is answered, when the next one is read or the handler returns, with what
///   was written since. After the last chunk of a body that trailers follow, nothing more can be
///   written.
/// - FULL_DUPLEX_STREAMED, GRPC: what is written leaves at once, in any proportion to what is read;
///   in GRPC mode each chunk is one gRPC message, and each write too.
/// The end of the body is sent on by itself, once, and the trailers' handler runs after this one.
///
/// A handler that returns early lets the rest through unchanged; after finish() the rest is
/// dropped.
///
/// The chunk is best named, as above, also where it is not used: GCC before 12.3 makes wrong code
/// of a co_await that is itself the condition of an `if` or `while` (its bug 106188).
///
/// Meanwhile the handlers of the other direction run, between two awaits of this one; Request and
/// Context are shared with them.
class EXTPROC_API BodyStream {
 public:
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;

  class ReadAwaiter;
  class WriteAwaiter;

  /// The next chunk, or nothing at the end of the body, also of one that was cut: Envoy ends its
  /// half of the stream where an upstream dies midway. A whole body has a last chunk that says
  /// end_of_stream(), or trailers. `co_await` it before the next read. The
  /// chunk's bytes are valid until the next read. Waits also while the peer takes nothing of what
  /// was written. Throws boost::system::system_error (operation_aborted) when the stream is over.
  ReadAwaiter read();

  /// Sends `bytes` on; they are copied. A plain call that never waits.
  void write(std::string_view bytes) { channel_.write(bytes, false); }
  /// GRPC mode: the message is compressed.
  void write_compressed(std::string_view bytes) { channel_.write(bytes, true); }

  /// Waits until the peer has taken enough of what was written. For a handler that writes much
  /// without reading. The peer is Envoy, which takes all of it at once however slowly its caller or
  /// its upstream does, and keeps the rest: set_pace() bounds that. Throws as read() does.
  WriteAwaiter writable();
  /// From now on writable() waits also while more is ahead of what was read than `pace` allows. In
  /// the answered modes that is time of the handler's answer. Throws Error where it is none.
  void set_pace(const Pace& pace) { channel_.set_pace(pace); }

  /// Nothing more will be written: what is still to come of the body is dropped.
  void finish() { channel_.finish(); }

  /// request_body or response_body.
  Phase phase() const { return phase_; }
  /// The mode that the body comes in, where the client said how the filter is set up: the filter's,
  /// or what this processor has overridden it with.
  std::optional<BodySendMode> mode() const { return channel_.mode(); }

  /// What the next answer carries besides the body: header changes (in BUFFERED and
  /// BUFFERED_PARTIAL mode), dynamic metadata, or an immediate response in its place. Where the
  /// answer to the headers waits for this handler (HeadersResponse::wait_for_body), that one has
  /// what was asked for until the first write. And when to stop waiting for this handler:
  /// PhaseResponse::fall_back_after, which holds for all chunks.
  PhaseResponse& response() { return channel_.response(); }
  /// As BodyResponse::clear_route_cache, with the header changes of response().
  void clear_route_cache(bool clear = true) { channel_.response().clear_route_cache(clear); }

 private:
  friend class detail::Access;
  friend class detail::WrappedBody;

  BodyStream(detail::BodyChannel& channel, Phase phase) : channel_(channel), phase_(phase) {}

  detail::BodyChannel& channel_;
  Phase phase_;
};

class [[nodiscard]] BodyStream::ReadAwaiter {
 public:
  bool await_ready() { return channel_.ready(); }
  void await_suspend(std::coroutine_handle<> handler) { channel_.wait(handler); }
  std::optional<HttpBody> await_resume() { return channel_.next(); }

 private:
  friend class BodyStream;

  explicit ReadAwaiter(detail::BodyChannel& channel) : channel_(channel) {}

  detail::BodyChannel& channel_;
};

class [[nodiscard]] BodyStream::WriteAwaiter {
 public:
  bool await_ready() { return channel_.writable(); }
  void await_suspend(std::coroutine_handle<> handler) { channel_.wait_writable(handler); }
  void await_resume() { channel_.check_open(); }

 private:
  friend class BodyStream;

  explicit WriteAwaiter(detail::BodyChannel& channel) : channel_(channel) {}

  detail::BodyChannel& channel_;
};

inline BodyStream::ReadAwaiter BodyStream::read() {
  channel_.next_wanted();
  return ReadAwaiter(channel_);
}

inline BodyStream::WriteAwaiter BodyStream::writable() { return WriteAwaiter(channel_); }

}  // namespace extproc
