#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trace/traceparent.h"

namespace extproc::trace {

/// What headers, or the metadata of a call, say of the trace that a request belongs to. The views
/// are those of what it is fed.
class Parent {
 public:
  /// Whether it is the name of what tells where a request belongs to.
  static bool is(std::string_view name) {
    return name.size() == kTraceparent.size() && name == kTraceparent;
  }

  void take(std::string_view name, std::string_view value) {
    if (name.size() == kTraceparent.size()) {
      if (name != kTraceparent) return;
      // Two of them are none.
      several_ |= !traceparent_.empty();
      traceparent_ = value;
    } else if (name.size() == kTracestate.size() && name == kTracestate) {
      if (state_.empty()) {
        state_ = value;
      } else if (!value.empty()) {
        if (joined_.empty()) joined_ = state_;
        joined_.append(",").append(value);
      }
    }
  }

  /// Nothing where there is none that counts.
  std::optional<TraceContext> context() const {
    if (traceparent_.empty() || several_) return std::nullopt;
    auto context = parse_traceparent(traceparent_);
    if (state_.empty()) return context;
    const std::string_view state = joined_.empty() ? state_ : std::string_view(joined_);
    if (context && is_tracestate(state)) context->tracestate = state;
    return context;
  }

 private:
  std::string_view traceparent_;
  std::string_view state_;
  std::string joined_;
  bool several_ = false;
};

}  // namespace extproc::trace
