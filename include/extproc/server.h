#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/export.h"
#include "extproc/service.h"
#include "extproc/settings.h"

namespace extproc {

class Logger;

namespace detail {
class Access;
}

/// What one processor of a chain did; see Chain.
struct ProcessorStats {
  std::string name;
  std::uint64_t calls = 0;
  std::uint64_t immediate_responses = 0;
  std::uint64_t failures = 0;
  std::uint64_t misused_answers = 0;
};

/// Counters since the server started, over all its threads; `connections_open` and `streams_open`
/// are how many there are now. A snapshot: its members are read one after another.
struct Stats {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t streams_started = 0;
  std::uint64_t streams_open = 0;
  /// Streams that this server ended with a status other than OK.
  std::uint64_t streams_failed = 0;
  /// Of those: a message was larger than Limits::message_bytes, or more was to be kept for them
  /// than buffered_bytes_per_connection, memory_bytes, the client's flow control or
  /// host::Settings::collected_bytes allow.
  std::uint64_t streams_over_limit = 0;
  std::uint64_t messages = 0;
  std::uint64_t immediate_responses = 0;
  /// Exceptions that escaped from handlers.
  std::uint64_t handler_failures = 0;
  /// Messages that could not be read as a ProcessingRequest.
  std::uint64_t malformed_messages = 0;
  /// Answers that broke a rule of Envoy's; see Rule.
  std::uint64_t misused_answers = 0;
  /// Fallbacks sent in place of handlers that took too long.
  std::uint64_t fallbacks = 0;
  /// Times that Envoy was asked for more time.
  std::uint64_t time_extensions = 0;
  /// Streams ended with OK because nothing with a handler could come any more.
  std::uint64_t early_ends = 0;
  /// Connections ended by Limits::frame_timeout and unread_timeout.
  std::uint64_t connections_stalled = 0;
  /// Connections without streams that were ended to make room for new ones: Limits::connections.
  std::uint64_t connections_displaced = 0;
  /// Connections that were closed as soon as they were accepted, as no other could make room.
  std::uint64_t connections_refused = 0;
  /// Connections that were closed because they held the most when all together held more than
  /// Limits::memory_bytes.
  std::uint64_t connections_shed = 0;
  /// Connections that were told to end because of Limits::max_connection_age.
  std::uint64_t connections_aged = 0;
  /// TLS handshakes that were completed; and those that failed, or took too long.
  std::uint64_t tls_handshakes = 0;
  std::uint64_t tls_handshakes_failed = 0;
  /// Times that certificates which had changed were taken, and that they could not be used. Of a
  /// transport that servers share, one of them counts.
  std::uint64_t tls_reloads = 0;
  std::uint64_t tls_reloads_failed = 0;
  /// What the connections and streams of this server hold in memory for their peers, in bytes.
  std::uint64_t memory_bytes = 0;
  /// Lines of the log that were lost because they came faster than they were taken, or could not be
  /// written; and those left out because there were too many of their kind. Of all that is written
  /// to where this server's log goes; none where Settings::log is set.
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t log_lines_left_out = 0;
  /// Spans that were taken by where Settings::tracing has them go; and those that were not sent in
  /// time, or refused. Of all servers of the process that send there.
  std::uint64_t spans_sent = 0;
  std::uint64_t spans_dropped = 0;
  /// Blocking handlers, and work of offload(), that were not begun because they could not have
  /// ended in time, or too many waited.
  std::uint64_t refused_jobs = 0;
  /// Of each processor of a chain, in its order; empty where there is no chain.
  std::vector<ProcessorStats> processors{};
};

/// One processor behind one listening port. To serve several in one process, make several.
class EXTPROC_API Server {
 public:
  /// Checks the settings; opens nothing but a log file yet. Throws Error with the reason when one
  /// is wrong.
  ///
  /// Settings from the environment are asked for: `Server(service, Settings::from_environment())`.
  /// This version also reads the variable of a member that is unset, and then warns in the log; the
  /// next minor version does not.
  explicit Server(Service service, Settings settings = {});
  /// Shuts down without a grace period, if still running, and joins.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens the port and starts the threads; requests are served when it returns. Throws Error when
  /// the address cannot be had. Once only.
  void start();

  /// The TCP port in use, which matters when the settings gave 0; 0 for a Unix domain socket. After
  /// start().
  int port() const;
  /// The address in use: "[::]:50051", "unix:/run/extproc.sock". After start().
  std::string address() const;
  /// The processor's name.
  const std::string& name() const;

  /// Begins the graceful end and returns at once: health turns NOT_SERVING, GOAWAY is sent, open
  /// streams may finish within the grace period of the settings, and the rest end with UNAVAILABLE.
  /// Any thread, any number of times; not from a signal handler.
  void shutdown();
  /// The same with another grace period; zero ends all streams at once. A later call can only
  /// shorten it.
  void shutdown(std::chrono::milliseconds grace_period);

  /// Reads what the transport was made of (certificates) anew, soon; it does so by itself when
  /// files change. Where it cannot be used, the log says why, and what was there stays. Any thread.
  void reload();

  /// Puts limits in place of those that it was made with. Throws Error where one is out of its
  /// range, and nothing changes. Any thread; before start() that which calls it.
  ///
  /// Soon they count for all that comes, on connections that are open, too. Only new connections
  /// see streams_per_connection, header_list_bytes, stream_window_bytes, connection_window_bytes,
  /// owed_resets_per_second, owed_resets_burst, handshake_timeout and max_connection_age: their
  /// peer was told at the beginning, or it is counted from there. A message or a frame that has
  /// begun keeps its time. Nothing is ended that is above a lower limit already, but what
  /// memory_bytes and idle_timeout close.
  void set_limits(const Limits& limits);

  /// Waits until a shutdown has ended and every thread is gone. Not from a handler. A handler that
  /// never returns keeps it waiting; the log names it when the grace period is over. Handlers of
  /// blocking processors and work of offload() that have not begun when their stream ends do not.
  void join();

  Stats stats() const;

  /// What it logs from now on, in place of Settings::log_level. Of requests that are under way,
  /// LogLevel::debug does not tell their messages and answers. Any thread.
  void set_log_level(LogLevel level);

 private:
  friend class detail::Access;
  bool join_within_grace_period();
  const Logger& logger() const;
  void set_log_level(LogLevel level, std::string_view source);
  void take_sources(const Settings& given);

  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Serves until SIGTERM or SIGINT, then shuts down within the grace period; a second signal ends
/// the process at once. Returns the exit status for main: 0, or 1 after a set-up error, which is
/// printed to standard error. A handler that has not returned half a second after the grace period
/// is named in the log, and the process ends with status 1 without it: serve() does not return
/// then, and no destructor runs. What the settings leave unset is taken from the environment, as
/// Settings::from_environment() does.
///
/// Of the process it also takes over: SIGUSR1, which opens Settings::log_file anew; SIGHUP, on
/// which it calls Server::reload(), and SIGUSR2, neither of which ends it; SIGPIPE, which is
/// ignored. All four are ignored when it returns. Standard input, output and error, where they were
/// closed, are opened on /dev/null. A Server changes nothing of the process.
///
/// Sockets that a service manager hands over (LISTEN_FDS) are listened on in place of any address;
/// all by one service, by several one each in their order, or by those whose names theirs are
/// (LISTEN_FDNAMES). It is told READY=1, RELOADING=1, STOPPING=1 (NOTIFY_SOCKET); that a reload is
/// over says that it was begun everywhere. See extproc/service_manager.h.
EXTPROC_API int serve(Service service, Settings settings = {});

/// Serves several processors in one process. Each needs its own address: Service::on(port).
EXTPROC_API int serve(std::vector<Service> services, Settings settings = {});

/// Serves one processor, made without arguments: `int main() { return
/// extproc::serve<MyProcessor>(); }`.
template <class P>
int serve(Settings settings = {}) {
  return serve(Service::make<P>(), std::move(settings));
}

}  // namespace extproc
