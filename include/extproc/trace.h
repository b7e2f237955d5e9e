#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "extproc/export.h"

namespace extproc {

/// A place in a trace, as W3C Trace Context has it: what a handler sends on with calls of its own,
/// so that they are found below it. Context::trace() gives it.
struct TraceContext {
  using TraceId = std::array<std::uint8_t, 16>;
  using SpanId = std::array<std::uint8_t, 8>;

  static constexpr std::uint8_t kSampled = 1;

  TraceId trace_id{};
  /// Of the span that the handler runs in. Where the trace is not recorded it is that of the
  /// caller's, or of none, which is made up.
  SpanId span_id{};
  /// `trace-flags`.
  std::uint8_t flags = 0;
  /// `tracestate` as it came with the parent, byte for byte; empty where there is none. The view
  /// lives as long as what it was got from.
  std::string_view tracestate{};

  /// The trace is recorded, and its spans are sent.
  bool sampled() const { return (flags & kSampled) != 0; }

  // In lower case hexadecimal digits.
  EXTPROC_API std::string trace_id_text() const;
  EXTPROC_API std::string span_id_text() const;
  /// The value of the header `traceparent`.
  EXTPROC_API std::string traceparent() const;

  bool operator==(const TraceContext&) const = default;
};

}  // namespace extproc
