#include "extproc/call_log.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "call_log/call.h"
#include "call_log/call_queue.h"
#include "call_log/json_line.h"
#include "call_log/otlp_lines.h"
#include "call_log/redacted_names.h"
#include "call_log/time_text.h"
#include "extproc/error.h"
#include "extproc/status.h"
#include "extproc/trace.h"
#include "log/line_writer.h"
#include "trace/traceparent.h"

namespace extproc {
namespace {

using call_log::Body;
using call_log::Call;
using call_log::JsonLine;
using call_log::OtlpLines;
using call_log::RedactedNames;
using call_log::Size;
using call_log::TimeText;
using SystemClock = std::chrono::system_clock;
using SteadyClock = std::chrono::steady_clock;

/// Of a path, a header's value and other texts of the caller's, as parts of a line.
constexpr std::size_t kPathPart = 2;
constexpr std::size_t kTextPart = 8;
/// What Request::id() says where there is none.
constexpr std::string_view kNoId = "unknown";
constexpr std::size_t kUsualBytes = 240;

CallLogSettings checked(CallLogSettings settings) {
  constexpr std::size_t kLeast = 1024;
  constexpr std::size_t kMost = std::size_t{64} << 10;
  constexpr std::size_t kMostOfRecord = std::size_t{16} << 10;
  if (settings.file.empty() && !settings.otlp) {
    throw Error("a log of calls needs a file to write to, or \"-\" for standard output");
  }
  if (!(settings.sample >= 0 && settings.sample <= 1)) {
    throw Error("a log of calls tells a part of the requests, 0 to 1: `sample` is neither");
  }
  if (settings.line_bytes < kLeast || settings.line_bytes > kMost) {
    throw Error("the lines of a log of calls have 1024 to 65536 bytes: line_bytes is " +
                std::to_string(settings.line_bytes));
  }
  if (settings.otlp && settings.line_bytes > kMostOfRecord) {
    throw Error(
        "the lines of a log of calls that is sent have at most 16384 bytes: line_bytes is " +
        std::to_string(settings.line_bytes));
  }
  if (settings.queue_bytes < settings.line_bytes) {
    throw Error("queue_bytes of a log of calls must be at least line_bytes");
  }
  return settings;
}

/// Spreads what may differ in few bits.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t hash_of(std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mixed(hash);
}

bool is_set(SteadyClock::time_point time) { return time != SteadyClock::time_point{}; }

/// Where the server traces, of the span that it is in; else what the caller says. Empty: none.
std::string trace_id_of(const Context& context, const HeaderView& headers) {
  if (const TraceContext* const own = context.trace()) return own->trace_id_text();
  const auto callers =
      trace::parse_traceparent(headers.value(trace::kTraceparent).value_or(std::string_view()));
  return callers ? callers->trace_id_text() : std::string();
}

std::string_view text_attribute(const Context& context, std::string_view name) {
  const auto value = context.attribute(name);
  return value ? value->string().value_or("") : "";
}

}  // namespace

class CallLog::Impl {
 public:
  explicit Impl(CallLogSettings settings)
      : settings_(checked(std::move(settings))),
        redacted_(settings_.redacted),
        otlp_(settings_.otlp ? std::make_unique<OtlpLines>(*settings_.otlp) : nullptr),
        writer_(otlp_ ? nullptr : call_log::make_writer(settings_)) {
    if (writer_) log::LineWriter::reopen_with_all(writer_);
  }

  const CallLogSettings& settings() const { return settings_; }
  void reopen() const {
    if (writer_) writer_->reopen();
  }
  bool flush(std::chrono::milliseconds most) const {
    return writer_ ? writer_->flush(most) : otlp_->flush(most);
  }
  std::uint64_t dropped() const { return writer_ ? writer_->dropped() : otlp_->dropped(); }
  /// False where it was dropped.
  bool put(std::string_view line, const Completed& how, const Call& call) const {
    if (writer_) return writer_->put(line);
    return otlp_->put({.line = line.substr(0, line.size() - 1),
                       .time = SystemClock::now() - how.open,
                       .is_error = is_always_told(how, call),
                       .trace_id = call.text(call.trace_id)});
  }

  /// Whether the request is to have a line.
  bool is_told(const Completed& how, const Call& call, const Request& request) const {
    if (settings_.sample >= 1 || is_always_told(how, call)) return true;
    static thread_local std::uint64_t without_id = hash_of("");
    const std::uint64_t hash =
        request.id() != kNoId ? hash_of(request.id()) : mixed(without_id += 0x9e3779b97f4a7c15);
    return static_cast<double>(hash) <
           settings_.sample * static_cast<double>(std::numeric_limits<std::uint64_t>::max());
  }
  void write(const Completed& how, const Call& call, const Request& request,
             const CallFields& fields, std::string& out) const;

 private:
  static bool is_error(const Completed& how) {
    return how.status != GrpcStatus::ok && !how.cancelled;
  }
  bool is_always_told(const Completed& how, const Call& call) const {
    return call.status == 0 || call.status >= settings_.sample_all_from || is_aborted(call) ||
           is_error(how);
  }
  bool is_aborted(const Call& call) const {
    return settings_.sees_bodies && call.status != 0 && call.response.size != Size::whole;
  }
  void put_headers(JsonLine& line, std::string_view name, const std::vector<std::string>& names,
                   std::span<const Call::Slice> values, const Call& call) const;
  void put_fields(JsonLine& line, const CallFields& fields) const;

  const CallLogSettings settings_;
  const RedactedNames redacted_;
  /// One of them.
  const std::unique_ptr<OtlpLines> otlp_;
  const std::shared_ptr<log::LineWriter> writer_;
};

void CallLog::Impl::put_headers(JsonLine& line, std::string_view name,
                                const std::vector<std::string>& names,
                                std::span<const Call::Slice> values, const Call& call) const {
  if (values.empty() || !line.begin_object(name)) return;
  for (std::size_t i = 0; i < std::min(values.size(), names.size()); ++i) {
    if (values[i].size == 0) continue;
    redacted_.put(line, names[i], call.text(values[i]));
  }
  line.end_object();
}

void CallLog::Impl::put_fields(JsonLine& line, const CallFields& fields) const {
  if (fields.fields_.empty() || !line.begin_object("fields")) return;
  for (const auto& [name, value] : fields.fields_) {
    if (redacted_.has(name)) {
      line.text(name, call_log::kRedacted);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      line.text(name, *text);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      line.boolean(name, *flag);
    } else if (const auto* number = std::get_if<double>(&value)) {
      line.number(name, *number);
    } else {
      line.number(name, std::get<std::int64_t>(value));
    }
  }
  line.end_object();
}

void CallLog::Impl::write(const Completed& how, const Call& call, const Request& request,
                          const CallFields& fields, std::string& out) const {
  const std::size_t text_bytes = settings_.line_bytes / kTextPart;
  const auto text = [&](JsonLine& line, std::string_view name, std::string_view value) {
    if (!value.empty()) line.text(name, value, text_bytes);
  };
  const auto bytes = [](JsonLine& line, std::string_view name, const Body& body) {
    if (body.size != Size::unknown) line.number(name, static_cast<std::int64_t>(body.bytes));
  };
  const auto last = std::max(call.responded, call.ended);
  // Who only looks on is told of the end long after it.
  const std::chrono::nanoseconds duration =
      is_set(call.begun) && is_set(last) ? last - call.begun : how.open;
  JsonLine line(out, settings_.line_bytes);
  line.text("time", TimeText(SystemClock::now() - how.open).text());
  text(line, "method", request.method());
  if (!request.path().empty()) {
    redacted_.put_path(line, "path", request.path(), settings_.line_bytes / kPathPart);
  }
  text(line, "route", call.text(call.route));
  if (call.status != 0) line.number("status", std::int64_t{call.status});
  text(line, "grpc_status", call.text(call.grpc_status));
  bytes(line, "request_bytes", call.request);
  bytes(line, "response_bytes", call.response);
  if (is_set(call.begun) && is_set(call.responded)) {
    line.milliseconds("response_ms", call.responded - call.begun);
  }
  line.milliseconds("duration_ms", duration);
  text(line, "user", fields.user_.empty() ? call.text(call.user) : fields.user_);
  text(line, "client", call.text(call.client));
  if (request.id() != kNoId) text(line, "request_id", request.id());
  text(line, "trace_id", call.text(call.trace_id));
  if (is_aborted(call)) line.boolean("aborted", true);
  if (is_error(how)) line.text("error", to_string(how.status));
  const std::span headers(call.headers);
  put_headers(line, "request_headers", settings_.request_headers,
              headers.first(call.request_headers), call);
  put_headers(line, "response_headers", settings_.response_headers,
              headers.subspan(call.request_headers), call);
  put_fields(line, fields);
  line.finish();
}

CallLog::CallLog(CallLogSettings settings)
    : impl_(std::make_unique<const Impl>(std::move(settings))) {}

CallLog::~CallLog() = default;

void CallLog::request_headers(const HttpHeaders& headers, const Context& context,
                              Request& request) const {
  const CallLogSettings& settings = impl_->settings();
  Call& call = request.state<Call>();
  call.begun = SteadyClock::now();
  call.kept.reserve(kUsualBytes);
  call.request.announce(request.content_length(), headers.end_of_stream());
  call.trace_id = call.keep(trace_id_of(context, headers));
  call.route = call.keep(text_attribute(context, "xds.route_name"));
  call.client = call.keep(text_attribute(context, "source.address"));
  if (!settings.user_header.empty()) {
    call.user = call.keep(headers.value(settings.user_header).value_or(""));
  }
  call.headers.reserve(settings.request_headers.size() + settings.response_headers.size());
  for (const std::string& name : settings.request_headers)
    call.headers.push_back(call.keep(headers.value(name).value_or("")));
  call.request_headers = call.headers.size();
}

void CallLog::response_headers(const HttpHeaders& headers, Request& request) const {
  Call& call = request.state<Call>();
  // That of a response to HEAD is of another one.
  const auto length = request.method() == "HEAD" ? std::nullopt : request.content_length();
  call.response.announce(length, headers.end_of_stream());
  call.responded = SteadyClock::now();
  for (const auto& [name, value] : headers) {
    if (name == ":status") {
      std::from_chars(value.data(), value.data() + value.size(), call.status);
    } else if (name == "grpc-status") {
      call.grpc_status = call.keep(value);
    }
  }
  for (const std::string& name : impl_->settings().response_headers)
    call.headers.push_back(call.keep(headers.value(name).value_or("")));
}

void CallLog::response_trailers(const HeaderView& trailers, Request& request) const {
  Call& call = request.state<Call>();
  call.ended = SteadyClock::now();
  call.response.size = Size::whole;
  if (const auto status = trailers.value("grpc-status")) call.grpc_status = call.keep(*status);
}

void CallLog::body(Phase phase, const HttpBody& chunk, Request& request) const {
  Call& call = request.state<Call>();
  Body& body = is_request_phase(phase) ? call.request : call.response;
  body.add(chunk.bytes().size());
  if (!chunk.end_of_stream()) return;
  body.size = Size::whole;
  if (!is_request_phase(phase)) call.ended = SteadyClock::now();
}

bool CallLog::complete(const Completed& how, Request& request) const {
  const Call& call = request.state<Call>();
  if (!impl_->is_told(how, call, request)) return true;
  static const CallFields kNone;
  const CallFields* const fields = request.shared_or_null<CallFields>();
  static thread_local std::string line;
  impl_->write(how, call, request, fields == nullptr ? kNone : *fields, line);
  return impl_->put(line, how, call);
}

void CallLog::reopen() const { impl_->reopen(); }

bool CallLog::flush(std::chrono::milliseconds most) const { return impl_->flush(most); }

std::uint64_t CallLog::dropped() const { return impl_->dropped(); }

}  // namespace extproc
