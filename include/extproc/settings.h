#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "extproc/log.h"
#include "extproc/version.h"

namespace extproc {

class Observer;

/// What bounds the memory and the time that peers can take. The defaults are safe for an Envoy at
/// full speed; each is checked when the server is made.
struct Limits {
  /// The largest gRPC message accepted, in bytes; a larger one ends its stream with
  /// RESOURCE_EXHAUSTED. Envoy sends a whole body as one message in BUFFERED mode.
  std::size_t message_bytes = std::size_t{16} << 20;
  /// Streams open at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS); above it a peer
  /// waits or, as Envoy does, opens another connection. Envoy resets each stream that is over, and
  /// takes its connection for flooded when more than 1,000 resets are due at once
  /// (max_outbound_control_frames): with more streams than that, answers to all of them in one
  /// moment would fail their requests. A peer that has not acknowledged SETTINGS may not know the
  /// limit, and may have 1,024 streams, as Envoy opens on a new connection.
  std::uint32_t streams_per_connection = 800;
  /// Connections open at once in one server; one above it is closed as soon as it is accepted.
  std::uint32_t connections = 16'384;
  /// The headers of one gRPC call, in bytes (SETTINGS_MAX_HEADER_LIST_SIZE): not those of the HTTP
  /// request, which are in messages.
  std::uint32_t header_list_bytes = std::uint32_t{64} << 10;
  /// HTTP/2 receive window of a stream, in bytes: what a peer may send ahead of a slow handler. At
  /// most 2^31-1.
  std::uint32_t stream_window_bytes = std::uint32_t{1} << 20;
  /// HTTP/2 receive window of a connection, in bytes. It is given back at once, so that no stream
  /// stalls another. At most 2^31-1.
  std::uint32_t connection_window_bytes = std::uint32_t{16} << 20;
  /// Answers of one stream that wait for a slow reader, in bytes; above it the stream's messages
  /// wait too.
  std::size_t queued_bytes_per_stream = std::size_t{1} << 20;
  /// All that one connection may hold in memory: messages that wait, incomplete messages, answers
  /// that wait. The stream that goes over it ends with RESOURCE_EXHAUSTED.
  std::size_t buffered_bytes_per_connection = std::size_t{256} << 20;
  /// The time for a new connection to send its HTTP/2 preface and settings.
  std::chrono::milliseconds handshake_timeout{10'000};
  /// A connection without streams for this long is closed (GOAWAY first). Zero: never.
  std::chrono::milliseconds idle_timeout{std::chrono::hours{1}};
  /// Stream resets per second and connection that arrive while an answer is owed, and how many may
  /// come at once. Over it the connection ends with ENHANCE_YOUR_CALM. The normal end of Envoy's
  /// streams, a reset after the last answer, is not counted.
  std::uint32_t owed_resets_per_second = 10'000;
  std::uint32_t owed_resets_burst = 100'000;
};

/// What the filter is configured as, where Envoy does not tell its processor. The defaults are
/// Envoy's; where the filter has others, they are to be the same here.
struct FilterSettings {
  /// `message_timeout`: how long Envoy waits for each answer.
  std::chrono::milliseconds message_timeout{200};
  /// `max_message_timeout`: how much time Envoy can be asked for, once per message. With a value,
  /// it is asked for when a handler that waits has taken half of message_timeout. Zero: never.
  std::chrono::milliseconds max_message_timeout{0};
  /// `mutation_rules.allow_all_routing`: host, :authority, :scheme and :method may be changed.
  bool allow_all_routing = false;
  /// `mutation_rules.allow_envoy`: x-envoy-* may be changed.
  bool allow_envoy = false;
};

/// How a server runs. A member that is left unset takes its value from the environment variable
/// named at it, and where that is not set either, the default. A wrong value, here or in the
/// environment, is refused with an Error.
struct Settings {
  /// TCP port of the default address `[::]` (IPv4 and IPv6). 0 lets the system choose. GRPC_PORT;
  /// 50051.
  std::optional<int> port;
  /// Where to listen instead: "host:port", "[v6]:port", or "unix:/path". Not together with `port`.
  std::optional<std::string> listen;
  /// How long streams may go on after a shutdown began. SHUTDOWN_GRACE_PERIOD in seconds (a
  /// fraction may follow); 5 s.
  std::optional<std::chrono::milliseconds> grace_period;
  /// How long new connections are still accepted after a shutdown began, so that a peer's health
  /// check can see it first. At most the grace period counts. 1 s.
  std::optional<std::chrono::milliseconds> drain_delay;
  /// I/O threads. 0: one per core. 0.
  std::optional<unsigned> threads;
  /// Threads for blocking processors and offload(), started when first needed. 16.
  std::optional<unsigned> blocking_threads;
  /// Whether each processor adds its name to the chain header of the response.
  /// REVEAL_EXTPROC_CHAIN; true.
  std::optional<bool> reveal_chain;
  /// The name of that header. EXTPROCS_APPLIED_HEADER; "x-ext-procs-applied".
  std::optional<std::string> applied_header;
  /// The least level that reaches `log`. LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF);
  /// INFO.
  std::optional<LogLevel> log_level;
  /// Where log lines go. log_to_stderr.
  LogSink log;
  /// Told what happens to streams and phases; must outlive the server. None.
  Observer* observer = nullptr;
  /// A synchronous handler that takes longer than this on an I/O thread is logged once, with the
  /// advice to offload it.
  std::chrono::milliseconds slow_handler{10};

  FilterSettings filter;
  /// Whether a stream ends as soon as no phase that has a handler can come any more, so that Envoy
  /// goes on by itself and waits for fewer answers.
  bool early_end = true;
  /// Whether each request is told to send only the phases that have a handler (`mode_override`).
  /// For filters that are configured to send more, and have allow_mode_override.
  bool automatic_mode_override = false;

  Limits limits;
};

}  // namespace extproc
