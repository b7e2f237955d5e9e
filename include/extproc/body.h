#pragma once

#include <string_view>

namespace extproc {

/// A body or a part of one: `envoy.service.ext_proc.v3.HttpBody`. In BUFFERED mode it is the whole
/// body, in the streamed modes one chunk. What it refers to lives as long as the handler that was
/// given it runs, awaits included.
class HttpBody {
 public:
  HttpBody() = default;
  HttpBody(std::string_view body, bool end_of_stream)
      : body_(body), end_of_stream_(end_of_stream) {}

  /// What clients that implement the GRPC mode, or draining, add to a body.
  struct Flags {
    bool end_of_stream_without_message = false;
    bool grpc_message_compressed = false;
    bool drain_complete = false;
  };
  HttpBody(std::string_view body, bool end_of_stream, Flags flags)
      : body_(body), end_of_stream_(end_of_stream), flags_(flags) {}

  std::string_view bytes() const { return body_; }
  [[deprecated("use bytes()")]] std::string_view body() const { return body_; }
  /// Nothing follows in this direction. In BUFFERED mode it is false for a whole body too when
  /// trailers exist.
  bool end_of_stream() const { return end_of_stream_; }

  /// GRPC mode: the stream ended and this message is none, not an empty one.
  bool end_of_stream_without_message() const { return flags_.end_of_stream_without_message; }
  /// GRPC mode: the gRPC message is compressed.
  bool grpc_message_compressed() const { return flags_.grpc_message_compressed; }
  /// The client has sent all that it will, as PhaseResponse::request_drain_requests asked.
  bool drain_complete() const { return flags_.drain_complete; }
  Flags flags() const { return flags_; }

 private:
  std::string_view body_;
  bool end_of_stream_ = false;
  Flags flags_;
};

}  // namespace extproc
