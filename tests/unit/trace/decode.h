#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::trace {

using Attributes = std::map<std::string, std::string>;

struct DecodedEvent {
  std::uint64_t time = 0;
  std::string name;
  Attributes attributes;
};

/// A span as a collector reads it; ids as they are, integers as text.
struct DecodedSpan {
  std::string trace_id;
  std::string span_id;
  std::string state;
  std::string parent;
  std::string name;
  int kind = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  Attributes attributes;
  std::vector<DecodedEvent> events;
  int status = 0;
  std::string status_message;
  std::uint32_t flags = 0;
};

struct DecodedRequest {
  Attributes resource;
  std::string scope;
  std::vector<DecodedSpan> spans;
};

/// Of an ExportTraceServiceRequest; throws where it is none, or has what is not known here.
DecodedRequest decode_request(std::string_view bytes);
/// The `spans` of a ScopeSpans alone.
std::vector<DecodedSpan> decode_spans(std::string_view bytes);

}  // namespace extproc::trace
