#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/// Something whose instructions are counted.
struct Item {
  std::string name;
  /// Does it once; counts with Measured.
  std::function<void()> run;
};

Item decode_headers();
Item encode_answer();
/// One stream of two messages, without sockets and without HTTP/2.
Item stream_without_http2();
/// The same through the bytes of an HTTP/2 connection that stays open.
Item stream_through_http2();
/// The same with a tracer that records this share of the streams.
Item traced_stream(std::string name, double ratio);
/// That with all that serve --metrics counts.
Item stream_with_metrics();
/// The same two messages from Envoy's hooks for a filter, and the answers as calls of Envoy.
Item request_inside();

}  // namespace bench
