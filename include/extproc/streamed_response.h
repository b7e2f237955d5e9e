#pragma once

#include <coroutine>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"
#include "extproc/pace.h"

namespace extproc {

class HeadersResponse;

namespace detail {

class Access;

using HeaderPairs = std::vector<std::pair<std::string, std::string>>;

/// Where a StreamedResponse goes.
class StreamedResponseSink {
 public:
  virtual void head(int status, HeaderPairs headers) = 0;
  virtual void chunk(std::string_view bytes) = 0;
  /// `trailers` may be empty.
  virtual void end(HeaderPairs trailers) = 0;
  /// The peer takes more at present, or nothing waits for it.
  virtual bool writable() = 0;
  /// `handler` is resumed once writable() holds.
  virtual void wait_writable(std::coroutine_handle<> handler) = 0;
  virtual void set_pace(const Pace& pace) = 0;
  /// Throws when the stream is over.
  virtual void check_open() = 0;

 protected:
  ~StreamedResponseSink() = default;
};

}  // namespace detail

/// A response to the caller that is written piece by piece:
/// `envoy.service.ext_proc.v3.StreamedImmediateResponse`. Obtained from
/// HeadersResponse::respond_streaming; lives as long as that response. Each piece leaves at once,
/// so that a handler that awaits between them streams; that of a blocking processor is sent whole
/// when it returns. Not to be used inside of offload().
class EXTPROC_API StreamedResponse {
 public:
  StreamedResponse() = default;

  class WriteAwaiter;

  /// Sends a piece of the body, which is copied. A plain call that never waits; nothing happens
  /// when the response has ended.
  void write(std::string_view chunk);
  /// Waits until the peer has taken enough of what was written (Limits::queued_bytes_per_stream):
  /// for a handler that writes faster than it is read. Envoy reads all of it, and keeps what its
  /// caller has not taken: set_pace() bounds that. What is written without waiting is kept by the
  /// server, until that is more than Limits::buffered_bytes_per_connection or memory_bytes allow,
  /// which ends the stream. Ready at once where the pieces are collected, or go nowhere, as with
  /// Context::observability_mode. Throws boost::system::system_error (operation_aborted) when the
  /// stream is over, as where the caller has gone, or too much was collected.
  [[nodiscard]] WriteAwaiter writable();
  /// From now on writable() waits also while more was written than `pace` allows; nothing is read
  /// that would count. Throws Error where it is none.
  void set_pace(const Pace& pace) {
    if (sink_ != nullptr) sink_->set_pace(pace);
  }
  /// Ends the response, with trailers if there are any.
  void finish(std::vector<std::pair<std::string, std::string>> trailers = {});

  bool started() const { return started_; }
  bool finished() const { return finished_; }

 private:
  friend class detail::Access;
  friend class HeadersResponse;

  void reset(detail::StreamedResponseSink* sink) {
    sink_ = sink;
    started_ = finished_ = false;
  }
  void start(int status, detail::HeaderPairs headers);

  detail::StreamedResponseSink* sink_ = nullptr;
  bool started_ = false;
  bool finished_ = false;
};

class StreamedResponse::WriteAwaiter {
 public:
  bool await_ready() { return sink_ == nullptr || sink_->writable(); }
  void await_suspend(std::coroutine_handle<> handler) { sink_->wait_writable(handler); }
  void await_resume() {
    if (sink_ != nullptr) sink_->check_open();
  }

 private:
  friend class StreamedResponse;

  explicit WriteAwaiter(detail::StreamedResponseSink* sink) : sink_(sink) {}

  detail::StreamedResponseSink* sink_;
};

inline StreamedResponse::WriteAwaiter StreamedResponse::writable() { return WriteAwaiter(sink_); }

}  // namespace extproc
