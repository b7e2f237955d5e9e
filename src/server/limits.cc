#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "extproc/error.h"
#include "server/configuration.h"
#include "server/values.h"

namespace extproc::server {
namespace {

void check_range(std::string_view name, std::uint64_t value, std::uint64_t least,
                 std::uint64_t most) {
  if (value >= least && value <= most) return;
  throw Error("Limits::" + std::string(name) + " is " + std::to_string(value) +
              ": it must be from " + std::to_string(least) + " to " + std::to_string(most));
}

void check_time_limit(std::string_view name, std::chrono::milliseconds value, int least = 0) {
  if (value.count() >= least && value <= kLongestTime) return;
  throw Error("Limits::" + std::string(name) + " is " + std::to_string(value.count()) +
              " ms: it must be from " + std::to_string(least) + " to a year");
}

}  // namespace

void check(const Limits& limits) {
  constexpr std::uint64_t kAny32 = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t kAnySize = std::numeric_limits<std::size_t>::max();
  // HTTP/2 starts a connection's window, and a stream's until SETTINGS are seen, at 65,535.
  constexpr std::uint64_t kLeastWindow = 65'535;
  constexpr std::uint64_t kMostWindow = std::numeric_limits<std::int32_t>::max();

  check_range("message_bytes", limits.message_bytes, 1, kAny32);
  check_range("streams_per_connection", limits.streams_per_connection, 1, kMostWindow);
  check_range("connections", limits.connections, 1, kAny32);
  check_range("header_list_bytes", limits.header_list_bytes, 1'024, kAny32);
  check_range("stream_window_bytes", limits.stream_window_bytes, kLeastWindow, kMostWindow);
  check_range("connection_window_bytes", limits.connection_window_bytes, kLeastWindow, kMostWindow);
  check_range("queued_bytes_per_stream", limits.queued_bytes_per_stream, 1, kAnySize);
  check_range("held_bytes_per_stream", limits.held_bytes_per_stream, 1, kAnySize);
  check_range("buffered_bytes_per_connection", limits.buffered_bytes_per_connection, 1, kAnySize);
  check_time_limit("handshake_timeout", limits.handshake_timeout);
  check_time_limit("frame_timeout", limits.frame_timeout);
  check_time_limit("unread_timeout", limits.unread_timeout);
  check_time_limit("incomplete_message_timeout", limits.incomplete_message_timeout);
  check_time_limit("held_time", limits.held_time, 1);
  check_time_limit("idle_timeout", limits.idle_timeout);
  check_range("owed_resets_per_second", limits.owed_resets_per_second, 1, kAny32);
  check_range("owed_resets_burst", limits.owed_resets_burst, 1, kAny32);
  if (limits.memory_bytes != 0)
    check_range("memory_bytes", limits.memory_bytes, limits.message_bytes, kAnySize);
  if (limits.buffered_bytes_per_connection < limits.message_bytes) {
    throw Error("Limits::buffered_bytes_per_connection is " +
                std::to_string(limits.buffered_bytes_per_connection) +
                ": it must hold a message of Limits::message_bytes, " +
                std::to_string(limits.message_bytes));
  }
}

}  // namespace extproc::server
