#pragma once

#include <cstddef>
#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>

#include "extproc/trace.h"

namespace extproc::trace {

// `opentelemetry.proto.trace.v1.Span` as bytes. What all spans of a kind have is written once, as
// fields that are copied.

enum class SpanKind : std::uint8_t { internal = 1, server = 2 };

/// What protobuf takes for a string, in at most `most` bytes: other bytes become "?".
std::string valid_text(std::string_view text, std::size_t most = 256);

/// A KeyValue, as `field` of what is written; its text as valid_text() has it.
void add_text(protozero::pbf_writer& writer, unsigned field, std::string_view key,
              std::string_view text, std::size_t most = 256);

/// Some fields of a Span.
class SpanFields {
 public:
  SpanFields& name(std::string_view name);
  SpanFields& kind(SpanKind kind);
  SpanFields& attribute(std::string_view key, std::string_view value);
  SpanFields& attribute(std::string_view key, std::int64_t value);
  /// `time` in nanoseconds since 1970; an attribute with it.
  SpanFields& event(std::uint64_t time, std::string_view name, std::string_view key,
                    std::string_view value);
  /// Its status is an error; `message` may be empty.
  SpanFields& error(std::string_view message);

  std::string_view bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// A span to be written, with views of what it is made of. Times in nanoseconds since 1970.
struct SpanParts {
  const TraceContext& context;
  /// Null for a root.
  const TraceContext::SpanId* parent = nullptr;
  bool parent_is_remote = false;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  /// Those that all of its kind have, those of this one, and its events.
  std::string_view common{};
  std::string_view own{};
  std::string_view events{};
};

/// The bytes of `spans` of a ScopeSpans with one span.
std::size_t span_size(const SpanParts& parts);
/// Writes them to `at`, where there is room for span_size(); returns the place behind them.
char* write_span(char* at, const SpanParts& parts);

}  // namespace extproc::trace
