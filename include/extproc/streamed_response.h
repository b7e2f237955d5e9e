#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

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

  /// Sends a piece of the body. Nothing happens when the response has ended.
  void write(std::string_view chunk);
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

}  // namespace extproc
