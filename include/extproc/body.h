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

  std::string_view body() const { return body_; }
  /// Nothing follows in this direction. In BUFFERED mode it is false for a whole body too when
  /// trailers exist.
  bool end_of_stream() const { return end_of_stream_; }

 private:
  std::string_view body_;
  bool end_of_stream_ = false;
};

}  // namespace extproc
