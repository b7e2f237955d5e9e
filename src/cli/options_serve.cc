#include "cli/option_groups.h"
#include "server/listen_address.h"

namespace extproc::cli {
namespace {

constexpr const char* kFooter =
    "Where a flag is not given, the environment counts: GRPC_PORT, SHUTDOWN_GRACE_PERIOD "
    "(seconds),\n"
    "REVEAL_EXTPROC_CHAIN, EXTPROCS_APPLIED_HEADER, EXTPROC_MODULE_PATH and, with --logging, "
    "LOG_LEVEL\n(DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF).";

}  // namespace

void add_serve_options(CLI::App& serve, ServeOptions& options) {
  Settings& settings = options.settings;
  add_service_options(serve, options.which, false);
  auto* port = serve
                   .add_option("-p,--port", settings.port,
                               "TCP port, on all interfaces (50051); the first one with --separate")
                   ->type_name("PORT")
                   ->check(CLI::Range(0, server::kHighestPort).description(""));
  serve
      .add_option(
          "--listen", options.listen,
          "Where to listen instead: host:port, [v6]:port or unix:/path; with --separate once "
          "for each processor")
      ->type_name("ADDRESS")
      ->allow_extra_args(false)
      ->take_all()
      ->excludes(port);
  add_seconds(serve, "-g,--grace-period", settings.grace_period,
              "How long requests may take to finish after a SIGTERM or SIGINT (5)");
  add_seconds(serve, "--drain-delay", settings.drain_delay,
              "How much of it new connections are still accepted (1)");
  serve.add_flag("-l,--logging", options.logging,
                 "Log at LOG_LEVEL (INFO), not only warnings and errors");
  serve.add_option("--threads", settings.threads, "I/O threads (0: one per core)")->type_name("N");
  serve
      .add_option("--blocking-threads", settings.blocking_threads,
                  "Threads for handlers that block (16)")
      ->type_name("N");
  serve
      .add_option("--blocking-queue", settings.blocking_queue,
                  "How many of those may wait for a thread (4096)")
      ->type_name("N");
  add_filter_options(serve, settings.filter);
  constexpr const char* kStreams = "How streams go";
  serve
      .add_flag_callback(
          "--no-early-end", [&settings] { settings.early_end = false; },
          "Streams go on when no phase with a handler can come any more")
      ->group(kStreams);
  serve
      .add_flag("--automatic-mode-override", settings.automatic_mode_override,
                "Each request is told to send only phases with a handler; for filters that send "
                "more, and have allow_mode_override")
      ->group(kStreams);
  serve.footer(kFooter);
}

}  // namespace extproc::cli
