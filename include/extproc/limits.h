#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace extproc {

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
  /// Connections open at once in one server. For one above it the one that has had no stream for
  /// the longest time is told (GOAWAY) and closed; where each has a stream, the new one is closed
  /// as soon as it is accepted.
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
  /// What is kept of a body while the answer to its headers waits for the body's handler
  /// (HeadersResponse::wait_for_body), read by that or not, in bytes of one direction of a stream.
  /// Over it the answer does not wait any longer. It must be as large as the largest part of a body
  /// that decides.
  std::size_t held_bytes_per_stream = std::size_t{4} << 20;
  /// All that one connection may hold in memory: the headers of its gRPC calls, messages that wait,
  /// also within its streams, incomplete messages, attributes and metadata, answers that wait. The
  /// stream that goes over it ends with RESOURCE_EXHAUSTED.
  std::size_t buffered_bytes_per_connection = std::size_t{256} << 20;
  /// All that the servers of one process may hold in memory for their peers, in bytes: what
  /// `buffered_bytes_per_connection` names for all connections, what streams keep for handlers that
  /// wait, attributes and metadata, and the connections and streams themselves. Over it the
  /// connection that holds most is closed, and then the next, until it holds. Handlers' own memory
  /// does not count. Zero: a quarter of what the process may use (its cgroup's limit, or the
  /// machine's memory), at most 1 GiB. Otherwise at least `message_bytes`.
  std::size_t memory_bytes = 0;
  /// TLS handshakes under way at once in one server; for one above it the one that has taken
  /// longest is closed. At least one for each I/O thread.
  std::uint32_t handshakes = 1'024;
  /// The time for a new connection to send its HTTP/2 preface and settings, the TLS handshake
  /// before them included.
  std::chrono::milliseconds handshake_timeout{10'000};
  /// The time for an HTTP/2 frame, and for a header block of several, from its first byte to its
  /// last. Over it the connection ends with ENHANCE_YOUR_CALM, up to a quarter later. Zero: any.
  std::chrono::milliseconds frame_timeout{30'000};
  /// How long answers may wait on a connection whose peer takes nothing of any of them: it closes
  /// the windows of all of its streams, or reads less than what the server hands to a socket at
  /// once (256 KiB). What is answered to pings and settings does not count. Over it the connection
  /// ends with ENHANCE_YOUR_CALM, up to half of the time later. Envoy reads what it asks for,
  /// however slow its callers are; a peer whose only streams may stand still for longer needs more.
  /// Zero: any.
  std::chrono::milliseconds unread_timeout{std::chrono::minutes{5}};
  /// The time for a gRPC message from its first byte to its last; over it the stream ends with
  /// DEADLINE_EXCEEDED. It does not count while a message before it waits for its handler. A body
  /// that is streamed comes in many messages, each with this time. Zero: any.
  std::chrono::milliseconds incomplete_message_timeout{60'000};
  /// How long the answer to headers waits for the body's handler (HeadersResponse::wait_for_body),
  /// from when the headers came, so that a slow caller's time counts. At least 1 ms.
  std::chrono::milliseconds held_time{5'000};
  /// A connection without streams for this long is closed (GOAWAY first). Zero: never.
  std::chrono::milliseconds idle_timeout{std::chrono::hours{1}};
  /// How old a connection gets, up to a tenth more or less: then it is told to end (GOAWAY), its
  /// peer opens new streams on another one, perhaps with another replica, with the certificates of
  /// the day, and it closes after its last stream. Zero: any.
  std::chrono::milliseconds max_connection_age{0};
  /// How long its streams may go on from then on; over it they end with UNAVAILABLE, and a body
  /// that still goes through one is cut. Zero: as long as they take.
  std::chrono::milliseconds max_connection_age_grace{0};
  /// Stream resets per second and connection that arrive while an answer is owed, and how many may
  /// come at once. Over it the connection ends with ENHANCE_YOUR_CALM. The normal end of Envoy's
  /// streams, a reset after the last answer, is not counted.
  std::uint32_t owed_resets_per_second = 10'000;
  std::uint32_t owed_resets_burst = 100'000;
};

}  // namespace extproc
