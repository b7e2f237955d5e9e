#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "extproc/trace_settings.h"

namespace extproc::trace {

/// What an ExportTraceServiceRequest has around its spans: where they come from, and what made
/// them.
class RequestFrame {
 public:
  explicit RequestFrame(const TraceSettings& settings);

  /// What comes before `bytes` of spans, which are the rest of the request.
  std::string before(std::size_t bytes) const;

 private:
  std::string resource_;  // as a field of ResourceSpans
  std::string scope_;     // as a field of ScopeSpans
};

/// What an ExportTraceServiceResponse says was not taken.
struct Refused {
  std::size_t spans = 0;
  std::string why;
};
/// Nothing refused where it is none.
Refused read_response(std::string_view response);

}  // namespace extproc::trace
