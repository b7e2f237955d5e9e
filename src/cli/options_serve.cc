#include "cli/option_groups.h"
#include "server/values.h"

namespace extproc::cli {
namespace {

constexpr const char* kFooter =
    "Where a flag is not given, the environment counts: GRPC_PORT, SHUTDOWN_GRACE_PERIOD "
    "(seconds),\n"
    "REVEAL_EXTPROC_CHAIN, EXTPROCS_APPLIED_HEADER, EXTPROC_MODULE_PATH, LOG_FORMAT, LOG_FILE "
    "and, with\n--logging, LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF).";

void add_limit_options(CLI::App& serve, Limits& limits) {
  constexpr const char* kGroup = "How long a peer may take (0: any time)";
  add_seconds(serve, "--frame-timeout", limits.frame_timeout,
              "For an HTTP/2 frame or a header block that it has begun (30)")
      ->group(kGroup);
  add_seconds(serve, "--incomplete-message-timeout", limits.incomplete_message_timeout,
              "For a message that it has begun (60)")
      ->group(kGroup);
  add_seconds(serve, "--unread-timeout", limits.unread_timeout,
              "To read anything of the answers that wait for it on its connection (300)")
      ->group(kGroup);
}

void add_memory_options(CLI::App& serve, Limits& limits) {
  constexpr const char* kGroup = "Memory held for peers";
  serve
      .add_option("--memory-bytes", limits.memory_bytes,
                  "For all connections together, with k, m or g behind it for KiB, MiB, GiB; over "
                  "it the connection\nthat holds most is closed (a quarter of what the process may "
                  "use, at most 1g)")
      ->transform(CLI::AsSizeValue(false))
      // It takes a sign, and a unit alone.
      ->transform(CLI::Validator(
          [](std::string& text) {
            const bool number = !text.empty() && text.front() >= '0' && text.front() <= '9';
            return number ? std::string() : "\"" + text + "\" is not a number of bytes";
          },
          ""))
      ->group(kGroup);
}

}  // namespace

void add_serve_options(CLI::App& serve, ServeOptions& options) {
  Settings& settings = options.settings;
  add_service_options(serve, options.which, false);
  // Read as the environment's is: what CLI11 takes for a number is more.
  const auto set_port = [&settings](const std::string& text) {
    settings.port = server::parse_port(text);
    if (!settings.port)
      throw CLI::ValidationError("--port",
                                 "\"" + text + "\" is not " + std::string(server::kAcceptedPort));
  };
  auto* port = serve
                   .add_option_function<std::string>(
                       "-p,--port", set_port,
                       "TCP port, on all interfaces (50051); the first one with --separate")
                   ->type_name("PORT");
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
  add_log_options(serve, options.logging, settings.log_format, settings.log_file);
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
  add_limit_options(serve, settings.limits);
  add_memory_options(serve, settings.limits);
  serve.footer(kFooter);
}

}  // namespace extproc::cli
