#include <array>
#include <string>

#include "extproc/trace.h"
#include "trace/hex.h"
#include "trace/traceparent.h"

namespace extproc {

std::string TraceContext::trace_id_text() const {
  std::array<char, 2 * std::tuple_size_v<TraceId>> text;
  trace::write_hex(text.data(), trace_id);
  return {text.data(), text.size()};
}

std::string TraceContext::span_id_text() const {
  std::array<char, 2 * std::tuple_size_v<SpanId>> text;
  trace::write_hex(text.data(), span_id);
  return {text.data(), text.size()};
}

std::string TraceContext::traceparent() const {
  std::array<char, trace::kTraceparentSize> text;
  char* at = text.data();
  *at++ = '0';
  *at++ = '0';
  *at++ = '-';
  at = trace::write_hex(at, trace_id);
  *at++ = '-';
  at = trace::write_hex(at, span_id);
  *at++ = '-';
  trace::write_hex(at, {&flags, 1});
  return {text.data(), text.size()};
}

}  // namespace extproc
