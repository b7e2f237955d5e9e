#include "server/settings_table.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <type_traits>

#include "server/listen_address.h"
#include "server/values.h"

namespace extproc::server {
namespace {

using std::chrono::milliseconds;

template <class T>
T& member_of(Settings& settings, T Settings::*of) {
  return settings.*of;
}
template <class T>
T& member_of(Settings& settings, T Limits::*of) {
  return settings.limits.*of;
}
template <class T>
T& member_of(Settings& settings, T FilterSettings::*of) {
  return settings.filter.*of;
}
template <class T>
const T& member_of(const Settings& settings, T Settings::*of) {
  return settings.*of;
}
template <class T>
const T& member_of(const Settings& settings, T Limits::*of) {
  return settings.limits.*of;
}
template <class T>
const T& member_of(const Settings& settings, T FilterSettings::*of) {
  return settings.filter.*of;
}

std::optional<std::string> as_it_is(std::string_view text) { return std::string(text); }

/// What a unit is read with, and what that accepts.
template <Unit kUnit>
constexpr auto parser() {
  if constexpr (kUnit == Unit::seconds) return std::pair(&parse_seconds, kAcceptedSeconds);
  if constexpr (kUnit == Unit::bytes) return std::pair(&parse_bytes, kAcceptedBytes);
  if constexpr (kUnit == Unit::count) return std::pair(&parse_count, kAcceptedCount);
  if constexpr (kUnit == Unit::port) return std::pair(&parse_port, kAcceptedPort);
  if constexpr (kUnit == Unit::on_or_off) return std::pair(&parse_switch, kAcceptedSwitch);
  if constexpr (kUnit == Unit::log_level) return std::pair(&parse_log_level, kAcceptedLogLevel);
  if constexpr (kUnit == Unit::log_format) return std::pair(&parse_log_format, kAcceptedLogFormat);
  if constexpr (kUnit == Unit::header_name)
    return std::pair(&parse_header_name, kAcceptedHeaderName);
  if constexpr (kUnit == Unit::header_names)
    return std::pair(&parse_header_names, kAcceptedHeaderNames);
  if constexpr (kUnit == Unit::text || kUnit == Unit::address)
    return std::pair(&as_it_is, std::string_view("a text"));
}

/// The type in an optional, or of what is none.
template <class T>
struct Held {
  using type = T;
};
template <class T>
struct Held<std::optional<T>> {
  using type = T;
};

template <auto kMember, Unit kUnit>
void set_member(Settings& settings, std::string_view source, std::string_view text) {
  constexpr auto kParser = parser<kUnit>();
  // Says what is wrong with it.
  if constexpr (kUnit == Unit::address) parse_listen_address(source, text);
  auto& target = member_of(settings, kMember);
  using T = typename Held<std::remove_cvref_t<decltype(target)>>::type;
  const auto value = kParser.first(text);
  bool fits = value.has_value();
  if constexpr (kUnit == Unit::bytes || kUnit == Unit::count)
    fits = fits && *value <= std::numeric_limits<T>::max();
  if (!fits) refuse_value(source, text, kParser.second);
  target = static_cast<T>(*value);
}

template <auto kMember>
bool is_member_set(const Settings& settings) {
  const auto& target = member_of(settings, kMember);
  if constexpr (requires { target.has_value(); }) return target.has_value();
  return false;
}

/// What parser() reads.
template <Unit kUnit, class T>
std::string shown(const T& value) {
  if constexpr (kUnit == Unit::seconds) {
    return plain_seconds(std::chrono::duration_cast<milliseconds>(value));
  } else if constexpr (kUnit == Unit::on_or_off) {
    return value ? "true" : "false";
  } else if constexpr (kUnit == Unit::log_level) {
    return std::string(to_string(value));
  } else if constexpr (kUnit == Unit::log_format) {
    return value == LogFormat::json ? "json" : "text";
  } else if constexpr (kUnit == Unit::header_names) {
    std::string names;
    for (const std::string& name : value) names += (names.empty() ? "" : ",") + name;
    return names;
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else {
    return value;
  }
}

template <auto kMember, Unit kUnit>
std::string show_member(const Settings& settings) {
  const auto& target = member_of(settings, kMember);
  if constexpr (requires { target.has_value(); }) {
    return target ? shown<kUnit>(*target) : std::string();
  } else {
    return shown<kUnit>(target);
  }
}

template <auto kMember>
std::int64_t limit_value(const Settings& settings) {
  const auto& target = member_of(settings, kMember);
  if constexpr (requires { target.count(); }) {
    return target.count();
  } else {
    return static_cast<std::int64_t>(target);
  }
}

struct Range {
  std::uint64_t least;
  std::uint64_t most;
};

/// A limit.
template <auto kMember, Unit kUnit>
constexpr SettingRow limit_row(std::string_view name, Topic topic, std::string_view help,
                               Range range, std::string_view otherwise = {}) {
  return {name,
          topic,
          kUnit,
          {},
          {},
          help,
          otherwise,
          {},
          &set_member<kMember, kUnit>,
          &is_member_set<kMember>,
          &show_member<kMember, kUnit>,
          &limit_value<kMember>,
          range.least,
          range.most};
}

struct Names {
  std::string_view name;
  std::string_view short_flag{};
  std::string_view variable{};
  std::string_view flag_value{};
};

template <auto kMember, Unit kUnit>
constexpr SettingRow setting_of(Names names, Topic topic, std::string_view help,
                                std::string_view otherwise) {
  return {names.name,
          topic,
          kUnit,
          names.short_flag,
          names.variable,
          help,
          otherwise,
          names.flag_value,
          &set_member<kMember, kUnit>,
          &is_member_set<kMember>,
          &show_member<kMember, kUnit>};
}

/// What the filter allows where its flag is given.
template <auto kMember>
constexpr SettingRow allowed_row(std::string_view name, std::string_view help,
                                 std::string_view otherwise = "they may not") {
  return setting_of<kMember, Unit::on_or_off>({name, {}, {}, "true"}, Topic::filter, help,
                                              otherwise);
}

constexpr std::uint64_t kAny32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kAnySize = std::numeric_limits<std::int64_t>::max();
// HTTP/2 starts a connection's window, and a stream's until SETTINGS are seen, at 65,535.
constexpr std::uint64_t kLeastWindow = 65'535;
constexpr std::uint64_t kMostWindow = std::numeric_limits<std::int32_t>::max();
constexpr Range kAnyTime{0, milliseconds(kLongestTime).count()};

constexpr SettingRow kRows[] = {
    setting_of<&Settings::port, Unit::port>({"port", "p", "GRPC_PORT"}, Topic::serving,
                                            "TCP port, on all interfaces; the first one with "
                                            "--separate",
                                            "50051"),
    // Its flag may be repeated, and is made by hand.
    setting_of<&Settings::listen, Unit::text>(
        {"listen", {}, {}, kNoFlag}, Topic::serving,
        "Where to listen instead: host:port, [v6]:port or unix:/path", "the port, everywhere"),
    setting_of<&Settings::grace_period, Unit::seconds>(
        {"grace_period", "g", "SHUTDOWN_GRACE_PERIOD"}, Topic::serving,
        "How long requests may take to finish after a SIGTERM or SIGINT", "5 s"),
    setting_of<&Settings::drain_delay, Unit::seconds>(
        {"drain_delay"}, Topic::serving, "How much of it new connections are still accepted",
        "1 s"),
    setting_of<&Settings::reflection, Unit::on_or_off>(
        {"reflection", {}, {}, "true"}, Topic::serving,
        "gRPC server reflection, so that grpcurl and the like need no files", "off"),
    setting_of<&Settings::reveal_chain, Unit::on_or_off>(
        {"reveal_chain", {}, "REVEAL_EXTPROC_CHAIN", kNoFlag}, Topic::serving,
        "Whether processors add their names to a header of the response", "true"),
    setting_of<&Settings::applied_header, Unit::header_name>(
        {"applied_header", {}, "EXTPROCS_APPLIED_HEADER", kNoFlag}, Topic::serving,
        "The name of that header", "x-ext-procs-applied"),
    setting_of<&Settings::log_level, Unit::log_level>({"log_level", {}, "LOG_LEVEL", kNoFlag},
                                                      Topic::serving,
                                                      "The least level that is logged", "INFO"),
    setting_of<&Settings::log_format, Unit::log_format>(
        {"log_format", {}, "LOG_FORMAT"}, Topic::serving, "How: text or json", "text"),
    setting_of<&Settings::log_file, Unit::text>(
        {"log_file", {}, "LOG_FILE"}, Topic::serving,
        "Where, instead of standard error; serve opens it anew on SIGUSR1", "standard error"),
    setting_of<&Settings::redacted_headers, Unit::header_names>(
        {"redacted_headers"}, Topic::serving,
        "Headers whose values LOG_LEVEL=DEBUG does not tell, besides those of credentials and "
        "cookies",
        "none"),
    setting_of<&Settings::threads, Unit::count>({"threads"}, Topic::serving, "I/O threads",
                                                "one per core"),
    setting_of<&Settings::blocking_threads, Unit::count>(
        {"blocking_threads"}, Topic::serving, "Threads for blocking processors and offload()",
        "16"),
    setting_of<&Settings::blocking_queue, Unit::count>(
        {"blocking_queue"}, Topic::serving, "How many of those may wait for a thread", "4,096"),
    setting_of<&Settings::slow_handler, Unit::seconds>(
        {"slow_handler"}, Topic::serving,
        "A handler that holds an I/O thread for longer is told of once", "10 ms"),
    setting_of<&Settings::server_admin, Unit::address>(
        {"server_admin"}, Topic::serving,
        "Where operators ask over HTTP what the server is at, and set the level of its log", "off"),
    setting_of<&Settings::server_admin_anywhere, Unit::on_or_off>(
        {"server_admin_anywhere", {}, {}, "true"}, Topic::serving,
        "That may be an address which other machines reach; whoever does may ask and set",
        "127.0.0.0/8, ::1, localhost or a Unix socket"),
    setting_of<&Settings::metrics, Unit::address>(
        {"metrics"}, Topic::serving,
        "Where Prometheus finds metrics over HTTP: host:port, port or unix:/path", "nowhere"),
    setting_of<&Settings::metrics_sample, Unit::count>(
        {"metrics_sample"}, Topic::serving, "Of 1 of how many streams durations are measured",
        "16"),
    setting_of<&FilterSettings::message_timeout, Unit::seconds>(
        {"filter.message_timeout"}, Topic::filter, "How long Envoy waits for each answer", "0.2 s"),
    setting_of<&FilterSettings::max_message_timeout, Unit::seconds>(
        {"filter.max_message_timeout"}, Topic::filter,
        "How much a processor that needs longer may ask for instead", "0: it may not"),
    allowed_row<&FilterSettings::allow_all_routing>(
        "filter.allow_all_routing", "Processors may change host, :authority, :scheme and :method"),
    allowed_row<&FilterSettings::allow_envoy>(
        "filter.allow_envoy", "Processors may change headers that begin with x-envoy"),
    allowed_row<&FilterSettings::allow_content_length_header>(
        "filter.allow_content_length_header",
        "content-length stays in the headers where a body is streamed", "Envoy removes it"),
    allowed_row<&FilterSettings::allow_mode_override>(
        "filter.allow_mode_override",
        "Processors may override the mode, also to FULL_DUPLEX_STREAMED"),
    setting_of<&Settings::early_end, Unit::on_or_off>(
        {"early_end", {}, {}, "false"}, Topic::streams,
        "Streams go on when no phase with a handler can come any more", "they end"),
    setting_of<&Settings::automatic_mode_override, Unit::on_or_off>(
        {"automatic_mode_override", {}, {}, "true"}, Topic::streams,
        "Each request is told to send only phases with a handler; for filters that send more, and "
        "have allow_mode_override",
        "as the filter is set"),
    limit_row<&Limits::memory_bytes, Unit::bytes>(
        "limits.memory_bytes", Topic::memory,
        "For all connections together; over it the connection that holds most is closed",
        {0, kAnySize}, "a quarter of what the process may use, at most 1 GiB"),
    limit_row<&Limits::buffered_bytes_per_connection, Unit::bytes>(
        "limits.buffered_bytes_per_connection", Topic::memory,
        "For one connection; over it the stream that is to keep more ends", {1, kAnySize}),
    limit_row<&Limits::queued_bytes_per_stream, Unit::bytes>(
        "limits.queued_bytes_per_stream", Topic::memory,
        "Answers of one stream that wait; over it its messages wait too", {1, kAnySize}),
    limit_row<&Limits::held_bytes_per_stream, Unit::bytes>(
        "limits.held_bytes_per_stream", Topic::memory,
        "What is kept of a body that decides its headers; over it they wait no longer",
        {1, kAnySize}),
    limit_row<&Limits::message_bytes, Unit::bytes>(
        "limits.message_bytes", Topic::memory,
        "The largest message: a whole body in BUFFERED mode is one", {1, kAny32}),
    limit_row<&Limits::header_list_bytes, Unit::bytes>(
        "limits.header_list_bytes", Topic::memory, "The headers of one gRPC call", {1'024, kAny32}),
    limit_row<&Limits::stream_window_bytes, Unit::bytes>(
        "limits.stream_window_bytes", Topic::windows, "What a peer may send ahead on one stream",
        {kLeastWindow, kMostWindow}),
    limit_row<&Limits::connection_window_bytes, Unit::bytes>(
        "limits.connection_window_bytes", Topic::windows,
        "What it may send ahead on one connection", {kLeastWindow, kMostWindow}),
    limit_row<&Limits::connections, Unit::count>("limits.connections", Topic::numbers,
                                                 "Connections open at once", {1, kAny32}),
    limit_row<&Limits::streams_per_connection, Unit::count>(
        "limits.streams_per_connection", Topic::numbers, "Streams open at once on one connection",
        {1, kMostWindow}),
    limit_row<&Limits::owed_resets_per_second, Unit::count>(
        "limits.owed_resets_per_second", Topic::numbers,
        "Resets in a second of streams that are owed an answer, on one connection", {1, kAny32}),
    limit_row<&Limits::owed_resets_burst, Unit::count>("limits.owed_resets_burst", Topic::numbers,
                                                       "How many of those may come at once",
                                                       {1, kAny32}),
    limit_row<&Limits::handshakes, Unit::count>("limits.handshakes", Topic::numbers,
                                                "TLS handshakes under way at once", {1, kAny32}),
    limit_row<&Limits::handshake_timeout, Unit::seconds>(
        "limits.handshake_timeout", Topic::times, "For a new connection to begin with HTTP/2",
        kAnyTime),
    limit_row<&Limits::frame_timeout, Unit::seconds>(
        "limits.frame_timeout", Topic::times,
        "For an HTTP/2 frame or a header block that it has begun", kAnyTime),
    limit_row<&Limits::incomplete_message_timeout, Unit::seconds>(
        "limits.incomplete_message_timeout", Topic::times, "For a message that it has begun",
        kAnyTime),
    limit_row<&Limits::unread_timeout, Unit::seconds>(
        "limits.unread_timeout", Topic::times,
        "To read anything of the answers that wait for it on its connection", kAnyTime),
    limit_row<&Limits::held_time, Unit::seconds>(
        "limits.held_time", Topic::streams, "How long headers wait for their body to decide them",
        {1, kAnyTime.most}),
    limit_row<&Limits::idle_timeout, Unit::seconds>(
        "limits.idle_timeout", Topic::times, "To have no stream on its connection", kAnyTime),
    limit_row<&Limits::max_connection_age, Unit::seconds>(
        "limits.max_connection_age", Topic::times,
        "To use one connection, about; then it opens its streams on another", kAnyTime, "any"),
    limit_row<&Limits::max_connection_age_grace, Unit::seconds>(
        "limits.max_connection_age_grace", Topic::times,
        "To end its streams there; then they are cut", kAnyTime, "any"),
};

}  // namespace

std::span<const SettingRow> setting_rows() { return kRows; }

const SettingRow& setting_row(std::string_view name) {
  return *std::ranges::find(kRows, name, &SettingRow::name);
}

}  // namespace extproc::server
