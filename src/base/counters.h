#pragma once

#include <atomic>
#include <cstdint>

namespace extproc {

/// A counter that one thread writes and any thread reads.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.store(value() + amount, std::memory_order_relaxed); }
  void subtract(std::uint64_t amount = 1) {
    value_.store(value() - amount, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A counter only grows; a gauge says how many there are now.
enum class CounterKind { counter, gauge };

// The tables of all that is counted: ROW(name, kind, help). The name is that of the member here, of
// the one of extproc/server.h that has the sum over the threads, and of what is published, with
// `help` as its line of explanation. A row here and a member there is all that a new counter needs.

#define EXTPROC_COUNTERS(ROW)                                                                  \
  ROW(connections_accepted, counter, "Connections that were accepted")                         \
  ROW(connections_open, gauge, "Connections that are open")                                    \
  ROW(streams_started, counter, "Streams that began")                                          \
  ROW(streams_open, gauge, "Streams that are open")                                            \
  ROW(streams_failed, counter, "Streams that the server ended with a status other than OK")    \
  ROW(streams_over_limit, counter, "Streams ended because more was to be kept than allowed")   \
  ROW(messages, counter, "Messages received")                                                  \
  ROW(immediate_responses, counter, "Requests that the processor answered itself")             \
  ROW(handler_failures, counter, "Exceptions that escaped from handlers")                      \
  ROW(malformed_messages, counter, "Messages that were no ProcessingRequest, or out of order") \
  ROW(misused_answers, counter, "Answers that broke a rule of Envoy's")                        \
  ROW(fallbacks, counter, "Fallbacks sent in place of handlers that took too long")            \
  ROW(time_extensions, counter, "Times that Envoy was asked for more time")                    \
  ROW(early_ends, counter, "Streams ended with OK because no handler could come any more")     \
  ROW(refused_jobs, counter, "Work for blocking threads that could not have ended in time")    \
  ROW(connections_stalled, counter, "Connections ended because their peer stood still")        \
  ROW(connections_displaced, counter, "Idle connections ended to make room for new ones")      \
  ROW(connections_refused, counter, "Connections closed at once because too many were open")   \
  ROW(connections_shed, counter, "Connections closed because they held the most memory")       \
  ROW(connections_aged, counter, "Connections that were told to end because of their age")     \
  ROW(tls_handshakes, counter, "TLS handshakes that were completed")                           \
  ROW(tls_handshakes_failed, counter, "TLS handshakes that failed, or took too long")          \
  ROW(tls_reloads, counter, "Times that changed certificates were taken")                      \
  ROW(tls_reloads_failed, counter, "Times that changed certificates could not be used")        \
  ROW(memory_bytes, gauge, "What connections and streams hold in memory for their peers")      \
  ROW(log_lines_dropped, counter, "Lines of the log that were not taken in time")              \
  ROW(log_lines_left_out, counter, "Lines of the log of which there were too many a second")   \
  ROW(spans_sent, counter, "Spans that were taken by where they go")                           \
  ROW(spans_dropped, counter, "Spans that were not taken in time, or refused")

#define EXTPROC_LINK_COUNTERS(ROW)                                                   \
  ROW(calls, counter, "Phases that began in the processor")                          \
  ROW(immediate_responses, counter, "Phases in which it answered the caller itself") \
  ROW(failures, counter, "Phases that ended with an error")                          \
  ROW(misused_answers, counter, "Its answers that broke a rule of Envoy's")

#define EXTPROC_MEMBER(name, kind, help) Counter name;

/// What one I/O thread counts.
struct alignas(64) Counters {
  EXTPROC_COUNTERS(EXTPROC_MEMBER)
};

/// What one I/O thread counts of one processor of a chain.
struct LinkCounters {
  EXTPROC_LINK_COUNTERS(EXTPROC_MEMBER)
};

#undef EXTPROC_MEMBER

}  // namespace extproc
