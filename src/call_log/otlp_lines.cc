#include "call_log/otlp_lines.h"

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <thread>

#include "base/logger.h"
#include "extproc/trace.h"
#include "log/make_logger.h"
#include "trace/environment.h"
#include "trace/hex.h"

namespace extproc::call_log {
namespace {

// Numbers of fields, as OTLP names them.
constexpr unsigned kRecordsOfScope = 2;
namespace record {
constexpr unsigned kTime = 1;
constexpr unsigned kSeverity = 2;
constexpr unsigned kSeverityText = 3;
constexpr unsigned kBody = 5;
constexpr unsigned kTraceId = 9;
constexpr unsigned kObserved = 11;
constexpr int kInfo = 9;
constexpr int kError = 17;
}  // namespace record
constexpr unsigned kStringValue = 1;

constexpr std::chrono::milliseconds kLook{5};

std::uint64_t nanoseconds(std::chrono::system_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

void encode(const OtlpLines::Record& what, std::string& out) {
  out.clear();
  protozero::pbf_writer scope(out);
  protozero::pbf_writer writer(scope, kRecordsOfScope);
  writer.add_fixed64(record::kTime, nanoseconds(what.time));
  writer.add_fixed64(record::kObserved, nanoseconds(std::chrono::system_clock::now()));
  writer.add_enum(record::kSeverity, what.is_error ? record::kError : record::kInfo);
  writer.add_string(record::kSeverityText, what.is_error ? "ERROR" : "INFO");
  {
    protozero::pbf_writer body(writer, record::kBody);
    body.add_string(kStringValue, what.line.data(), what.line.size());
  }
  TraceContext::TraceId id{};
  if (what.trace_id.size() != 2 * id.size() || !trace::read_hex(what.trace_id, id)) return;
  writer.add_bytes(record::kTraceId, reinterpret_cast<const char*>(id.data()), id.size());
}

TraceSettings checked(const TraceSettings& settings) {
  trace::check(settings);
  return settings;
}

}  // namespace

OtlpLines::OtlpLines(const TraceSettings& settings)
    : exporter_(checked(settings), log::make_logger(LogLevel::info, {}), "lines of a call log"),
      outbox_(exporter_.queue()) {}

bool OtlpLines::put(const Record& record) {
  static thread_local std::string bytes;
  encode(record, bytes);
  const std::lock_guard lock(mutex_);
  ++put_;
  const std::uint64_t before = exporter_.figures().dropped;
  outbox_.add(bytes.size(), [](char* at) { return std::ranges::copy(bytes, at).out; });
  return exporter_.figures().dropped == before;
}

bool OtlpLines::flush(std::chrono::milliseconds most) const {
  const auto end = std::chrono::steady_clock::now() + most;
  while (true) {
    const trace::Figures figures = exporter_.figures();
    {
      const std::lock_guard lock(mutex_);
      if (figures.sent + figures.dropped >= put_) return true;
    }
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace extproc::call_log
