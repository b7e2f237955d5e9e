#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/option_groups.h"
#include "extproc/version.h"

namespace extproc::cli {

ParseResult parse_options(int argc, const char* const* argv) {
  CLI::App app(
      "Serves Envoy External Processors, asks for their health, and writes and checks Envoy's "
      "configuration.",
      "extproc");
  app.set_version_flag("--version", "extproc " EXTPROC_VERSION_STRING);
  app.require_subcommand(1);

  ServeOptions serve;
  ConfigOptions config;
  CheckOptions check;
  DevOptions dev;
  HealthOptions health;
  CLI::App& serve_app = *app.add_subcommand("serve", "Serve processors until SIGTERM or SIGINT");
  CLI::App& config_app =
      *app.add_subcommand("config", "Write Envoy's configuration for processors");
  CLI::App& check_app =
      *app.add_subcommand("check", "Tell what in an Envoy configuration would bite");
  CLI::App& dev_app =
      *app.add_subcommand("dev", "Run Envoy with the processors in front of an upstream");
  CLI::App& health_app =
      *app.add_subcommand("health", "Ask a server for its health once, as a probe does");
  add_serve_options(serve_app, serve);
  add_config_options(config_app, config);
  add_check_options(check_app, check);
  add_dev_options(dev_app, dev);
  add_health_options(health_app, health);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return {std::nullopt, app.exit(success)};
  } catch (const CLI::ParseError& error) {
    std::string command;
    for (const CLI::App* used : app.get_subcommands()) command = used->get_name() + " ";
    std::cerr << "extproc: " << error.what() << "; see extproc " << command << "--help\n";
    return {std::nullopt, kWrongUsage};
  }
  if (app.got_subcommand(&config_app)) {
    config.which.given = given_settings(config_app, server::is_of_filter);
    return {std::move(config), 0};
  }
  if (app.got_subcommand(&check_app)) return {std::move(check), 0};
  if (app.got_subcommand(&dev_app)) return {std::move(dev), 0};
  if (app.got_subcommand(&health_app)) return {std::move(health), 0};
  note_given(serve_app, serve);
  return {std::move(serve), 0};
}

}  // namespace extproc::cli
