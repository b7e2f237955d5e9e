#include <gmock/gmock.h>

#include <limits>

#include "extproc/error.h"
#include "server/configuration.h"

namespace extproc::server {
namespace {

using namespace std::chrono_literals;

TEST(Limits, DefaultsAreAccepted) { check(Limits{}); }

TEST(Limits, TheEndsOfTheRangesAreAccepted) {
  Limits limits;
  limits.message_bytes = 1;
  limits.streams_per_connection = 1;
  limits.connections = 1;
  limits.header_list_bytes = 1'024;
  limits.stream_window_bytes = 65'535;
  limits.connection_window_bytes = std::numeric_limits<std::int32_t>::max();
  limits.handshake_timeout = 0ms;
  limits.frame_timeout = 0ms;
  limits.unread_timeout = 0ms;
  limits.incomplete_message_timeout = 0ms;
  limits.idle_timeout = 0ms;
  check(limits);
}

TEST(Limits, RefusedByName) {
  const std::pair<std::string, void (*)(Limits&)> cases[] = {
      {"message_bytes is 0", [](Limits& l) { l.message_bytes = 0; }},
      {"message_bytes is 4294967296", [](Limits& l) { l.message_bytes = std::size_t{1} << 32; }},
      {"streams_per_connection", [](Limits& l) { l.streams_per_connection = 0; }},
      {"connections", [](Limits& l) { l.connections = 0; }},
      {"header_list_bytes", [](Limits& l) { l.header_list_bytes = 10; }},
      {"stream_window_bytes", [](Limits& l) { l.stream_window_bytes = 65'534; }},
      {"stream_window_bytes", [](Limits& l) { l.stream_window_bytes = 0x8000'0000; }},
      {"connection_window_bytes", [](Limits& l) { l.connection_window_bytes = 1'000; }},
      {"queued_bytes_per_stream", [](Limits& l) { l.queued_bytes_per_stream = 0; }},
      {"buffered_bytes_per_connection", [](Limits& l) { l.buffered_bytes_per_connection = 0; }},
      {"buffered_bytes_per_connection is 1048576: it must hold a message",
       [](Limits& l) { l.buffered_bytes_per_connection = std::size_t{1} << 20; }},
      {"handshake_timeout is -1 ms", [](Limits& l) { l.handshake_timeout = -1ms; }},
      {"frame_timeout", [](Limits& l) { l.frame_timeout = -1ms; }},
      {"unread_timeout", [](Limits& l) { l.unread_timeout = -1ms; }},
      {"incomplete_message_timeout", [](Limits& l) { l.incomplete_message_timeout = -1ms; }},
      {"idle_timeout", [](Limits& l) { l.idle_timeout = -1ms; }},
      {"held_time is 0 ms: it must be from 1 ms", [](Limits& l) { l.held_time = 0ms; }},
      {"held_bytes_per_stream", [](Limits& l) { l.held_bytes_per_stream = 0; }},
      {"owed_resets_per_second", [](Limits& l) { l.owed_resets_per_second = 0; }},
      {"owed_resets_burst", [](Limits& l) { l.owed_resets_burst = 0; }}};
  for (const auto& [name, break_it] : cases) {
    Limits limits;
    break_it(limits);
    try {
      check(limits);
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith("Limits::" + name));
    }
  }
}

}  // namespace
}  // namespace extproc::server
