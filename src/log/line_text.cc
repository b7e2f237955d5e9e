#include "log/line_text.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "extproc/trace.h"

namespace extproc::log {
namespace {

/// Of a processor's name and of a request's id.
constexpr std::size_t kNameBytes = 256;
constexpr std::size_t kAnyBytes = kLineBytes;

/// As RFC 3339 has it, in UTC.
void put_time(LineBuffer& line, std::chrono::system_clock::time_point time) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(time);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  line.put({text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc)});
  std::snprintf(text.data(), text.size(), ".%03dZ",
                static_cast<int>(now.time_since_epoch().count() % 1000));
  line.put(text.data());
}

void put_event_and_detail(LineBuffer& text, const LogLine& line, std::size_t end) {
  text.put_escaped(line.event, kAnyBytes, end);
  if (!line.event.empty() && !line.detail.empty()) text.put_escaped(": ", 2, end);
  text.put_escaped(line.detail, kAnyBytes, end);
}

void put_message(LineBuffer& text, const LogLine& line, std::size_t end) {
  if (!line.processor.empty()) {
    text.put_escaped(line.processor, kNameBytes);
    text.put(": ");
  }
  const std::string_view phase = line.phase ? to_string(*line.phase) : std::string_view();
  text.put(phase);
  if (!line.request_id) {
    if (!phase.empty()) text.put(line.event.empty() ? ": " : " ");
    return put_event_and_detail(text, line, end);
  }
  if (!phase.empty() && !line.event.empty()) text.put(" ");
  // What is behind it is not crowded out: an event is of the library's own words, a detail is not.
  text.put_escaped(line.event, kLineBytes / 2);
  text.put(text.size() == 0 ? "for request " : " for request ");
  text.put_escaped(line.request_id->empty() ? "unknown" : *line.request_id, kNameBytes);
  if (line.trace != nullptr) {
    text.put(" trace ");
    text.put(line.trace->trace_id_text());
  }
  if (line.detail.empty()) return;
  text.put(": ");
  text.put_escaped(line.detail, kAnyBytes, end);
}

void put_member(LineBuffer& object, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  object.put(",\"");
  object.put(name);
  object.put("\":\"");
  object.put_escaped(value, kNameBytes);
  object.put("\"");
}

LineBuffer json(const LogLine& line, std::chrono::system_clock::time_point time) {
  constexpr std::string_view kEnd = "\"}\n";
  LineBuffer object(LineBuffer::Quoting::json);
  object.put("{\"time\":\"");
  put_time(object, time);
  object.put("\"");
  put_member(object, "level", to_string(line.level));
  put_member(object, "processor", line.processor);
  put_member(object, "phase", line.phase ? to_string(*line.phase) : std::string_view());
  put_member(object, "request_id", line.request_id.value_or(""));
  if (line.trace != nullptr) put_member(object, "trace_id", line.trace->trace_id_text());
  // Last, since it has what room there is.
  object.put(",\"message\":\"");
  put_event_and_detail(object, line, kLineBytes - kEnd.size());
  object.put(kEnd);
  return object;
}

}  // namespace

LineBuffer message_of(const LogLine& line) {
  LineBuffer text;
  put_message(text, line, kLineBytes);
  return text;
}

LineBuffer written(const LogLine& line, LogFormat format,
                   std::chrono::system_clock::time_point time) {
  if (format == LogFormat::json) return json(line, time);
  LineBuffer text;
  put_time(text, time);
  text.put(" : ");
  text.put(to_string(line.level));
  text.put(" : ");
  put_message(text, line, kLineBytes - 1);
  text.put("\n");
  return text;
}

}  // namespace extproc::log
