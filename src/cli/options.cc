#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <iostream>

#include "extproc/version.h"

namespace extproc::cli {
namespace {

constexpr int kWrongUsage = 2;
constexpr double kMostSeconds = 365.0 * 24 * 3600;

constexpr const char* kFooter =
    "Where a flag is not given, the environment counts: GRPC_PORT, SHUTDOWN_GRACE_PERIOD "
    "(seconds),\n"
    "REVEAL_EXTPROC_CHAIN, EXTPROCS_APPLIED_HEADER, EXTPROC_MODULE_PATH and, with --logging, "
    "LOG_LEVEL\n(DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF).";

/// An option in seconds, a fraction allowed.
CLI::Option* add_seconds(CLI::App& app, const std::string& name,
                         std::optional<std::chrono::milliseconds>& target,
                         const std::string& help) {
  const auto set = [&target, name](double seconds) {
    // Written so that a NaN is refused.
    if (!(seconds >= 0 && seconds <= kMostSeconds)) {
      throw CLI::ValidationError(name, "must be a number of seconds, from 0 to a year");
    }
    target = std::chrono::milliseconds(std::llround(seconds * 1000));
  };
  return app.add_option_function<double>(name, set, help)->type_name("SECONDS");
}

void add_serve_options(CLI::App& serve, Options& options) {
  Settings& settings = options.settings;
  serve
      .add_option("-s,--service", options.service,
                  "The processor: module.Name, exported as Name by module.so. Without it, the base "
                  "processor, which changes nothing")
      ->type_name("MODULE.NAME");
  auto* port = serve.add_option("-p,--port", settings.port, "TCP port, on all interfaces (50051)")
                   ->type_name("PORT")
                   ->check(CLI::Range(0, 65535).description(""));
  serve
      .add_option("--listen", settings.listen,
                  "Where to listen instead: host:port, [v6]:port or unix:/path")
      ->type_name("ADDRESS")
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
      .add_option("--module-path", options.module_path,
                  "Where to look for modules first; may be repeated")
      ->type_name("FOLDER[:FOLDER]")
      ->delimiter(':')
      ->allow_extra_args(false)
      ->take_all();
  serve.footer(kFooter);
}

}  // namespace

ParseResult parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Serves Envoy External Processors.", "extproc");
  app.set_version_flag("--version", "extproc " EXTPROC_VERSION_STRING);
  app.require_subcommand(1);
  CLI::App& serve = *app.add_subcommand("serve", "Serve a processor until SIGTERM or SIGINT");
  add_serve_options(serve, options);
  try {
    app.parse(argc, argv);
    return {std::move(options), 0};
  } catch (const CLI::Success& success) {
    return {std::nullopt, app.exit(success)};
  } catch (const CLI::ParseError& error) {
    const bool in_serve = app.got_subcommand(&serve);
    std::cerr << "extproc: " << error.what() << "; see extproc " << (in_serve ? "serve " : "")
              << "--help\n";
    return {std::nullopt, kWrongUsage};
  }
}

}  // namespace extproc::cli
