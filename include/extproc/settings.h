#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extproc/export.h"
#include "extproc/filter_settings.h"
#include "extproc/limits.h"
#include "extproc/log.h"
#include "extproc/trace_settings.h"
#include "extproc/transport.h"

namespace extproc {

class Observer;

namespace detail {
class SettingSources;
}

/// How a server runs. A member that is left unset means its default, which its comment names last.
/// Some have an environment variable, named before the default: serve() and the command take that
/// where the member is unset, and from_environment() does for whoever asks. A wrong value, here or
/// in the environment, is refused with an Error.
struct Settings {
  /// Settings that are set as far as the environment sets them; a variable that is empty is not
  /// set. Throws Error, with the variable and what it accepts, when a value is wrong. Not while
  /// another thread changes the environment.
  EXTPROC_API static Settings from_environment();
  /// The settings given, and where they are unset, what the environment says. GRPC_PORT is not
  /// looked at beside `listen`.
  EXTPROC_API static Settings from_environment(Settings given);

  /// TCP port of the default address `[::]` (IPv4 and IPv6). 0 lets the system choose. GRPC_PORT;
  /// 50051.
  std::optional<int> port;
  /// Where to listen instead: "host:port", "[v6]:port", or "unix:/path". Not together with `port`.
  std::optional<std::string> listen;
  /// Whether gRPC's server reflection (v1 and v1alpha) tells clients such as grpcurl what can be
  /// called, so that they need no files. false.
  std::optional<bool> reflection;
  /// What TCP connections are carried by: tls_transport() of extproc/tls.h. Unix domain sockets
  /// stay clear. None: clear text.
  std::shared_ptr<Transport> transport;
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
  /// How many handlers of blocking processors and calls of offload() may wait for such a thread, in
  /// all; one above it has its fallback sent, or its stream ends with RESOURCE_EXHAUSTED. Those
  /// whose stream is over do not count. 4,096.
  std::optional<unsigned> blocking_queue;
  /// Whether each processor adds its name to the chain header of the response.
  /// REVEAL_EXTPROC_CHAIN; true.
  std::optional<bool> reveal_chain;
  /// The name of that header. EXTPROCS_APPLIED_HEADER; "x-ext-procs-applied".
  std::optional<std::string> applied_header;
  /// The least level that reaches `log`. LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF);
  /// INFO.
  std::optional<LogLevel> log_level;
  /// How they are written where `log` is unset. LOG_FORMAT (text, json); text.
  std::optional<LogFormat> log_format;
  /// The file that they are appended to where `log` is unset; serve() and the command open it anew
  /// on SIGUSR1. The bounds of log_to_stderr count. LOG_FILE; standard error.
  std::optional<std::string> log_file;
  /// Where log lines go instead. None: as log_to_stderr writes them, to standard error.
  LogSink log;
  /// Headers whose values LogLevel::debug does not tell, in whatever case, besides authorization,
  /// proxy-authorization, cookie, set-cookie and x-api-key.
  std::vector<std::string> redacted_headers;
  /// Told what happens to streams and phases; must outlive the server. None.
  Observer* observer = nullptr;
  /// Others that are told of the same behind it, in their order. None.
  std::vector<Observer*> observers{};
  /// Where the spans of streams and phases go. The variables of OpenTelemetry, which serve(), the
  /// command and from_environment() read: see TraceSettings::from_environment(). None.
  std::optional<TraceSettings> tracing;
  /// A synchronous handler that takes longer than this on an I/O thread is logged once, with the
  /// advice to offload it.
  std::chrono::milliseconds slow_handler{10};

  /// Where operators ask what the server is at, and set the level of its log, over HTTP:
  /// "127.0.0.1:9902", or "unix:/path", which is made for its owner alone. Whoever reaches it may,
  /// so that other addresses than those of the loopback interface are refused. Servers of a process
  /// that name the same address share it. docs/operations.md. None.
  std::optional<std::string> server_admin;
  /// Any address may be that, for networks that are protected otherwise.
  bool server_admin_anywhere = false;
  /// Where Prometheus finds metrics, over HTTP: "host:port", "[v6]:port", a port alone for all
  /// interfaces, or "unix:/path". There are /metrics, /healthz and /readyz, which anybody who can
  /// reach the address may read; servers of one process may share it. None.
  std::optional<std::string> metrics;
  /// Of one of how many streams the durations are measured and told; all else is counted of each.
  /// 16.
  std::optional<unsigned> metrics_sample;

  FilterSettings filter;
  /// Whether a stream ends as soon as no phase that has a handler can come any more, so that Envoy
  /// goes on by itself and waits for fewer answers.
  bool early_end = true;
  /// Whether each request is told to send only the phases that have a handler (`mode_override`).
  /// For filters that are configured to send more, and have allow_mode_override.
  bool automatic_mode_override = false;

  Limits limits;

  /// From where its members are, for operators who ask: from_environment() and the command know
  /// that.
  std::shared_ptr<const detail::SettingSources> sources{};
};

}  // namespace extproc
