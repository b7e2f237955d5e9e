#include <array>

#include "cli/option_groups.h"
#include "extproc/error.h"
#include "server/setting_sources.h"
#include "server/settings_table.h"

namespace extproc::cli {
namespace {

using server::SettingRow;
using server::Topic;
using server::Unit;

constexpr std::array<const char*, 7> kGroups = {
    "",
    "The filter, as Envoy is configured",
    "How streams go",
    "Memory held for peers (with k, m or g behind it for KiB, MiB, GiB)",
    "What peers may send ahead",
    "How many there may be",
    "How long a peer may take (0: any time)"};

const char* type_name(Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return "SECONDS";
    case Unit::bytes:
      return "BYTES";
    case Unit::count:
      return "N";
    case Unit::port:
      return "PORT";
    case Unit::log_format:
      return "FORMAT";
    case Unit::header_names:
      return "NAME,...";
    case Unit::text:
      return "FILE";
    case Unit::address:
      return "ADDRESS";
    case Unit::on_or_off:
    case Unit::log_level:
    case Unit::header_name:
      break;
  }
  return "TEXT";
}

void add_file_options(CLI::App& serve, ServeOptions& options) {
  CLI::Option* file =
      serve
          .add_option(
              "--settings", options.which.settings_file,
              "Settings from a file of YAML: all that these flags set, several services, and "
              "what processors have of their own; flags are stronger. Read anew on SIGHUP")
          ->type_name("FILE");
  serve
      .add_flag("--check-settings", options.check_settings,
                "Read that file, load its modules and make its processors, tell what counts, and "
                "serve nothing")
      ->needs(file);
  serve.add_flag("--settings-schema", options.settings_schema,
                 "Print the JSON Schema of such files");
}

std::string footer() {
  std::string names;
  for (const SettingRow& row : server::setting_rows()) {
    if (!row.variable.empty()) names += std::string(row.variable) + ", ";
  }
  return "Where a flag is not given, the environment counts, also for what has none: " + names +
         "\nEXTPROC_MODULE_PATH. LOG_LEVEL (DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF) does with "
         "--logging.";
}

}  // namespace

const char* group_of(Topic topic) { return kGroups.at(static_cast<std::size_t>(topic)); }

CLI::Option* add_setting(CLI::App& app, const SettingRow& row, const SetSetting& set) {
  const std::string flag = server::flag_of(row);
  const auto checked = [set, flag](const std::string& text) {
    try {
      set(flag, text);
    } catch (const Error& error) {
      throw CLI::ValidationError(error.what());
    }
  };
  const std::string name =
      (row.short_flag.empty() ? "" : "-" + std::string(row.short_flag) + ",") + flag;
  const std::string help = std::string(row.help) + " (" + server::default_of(row) + ")";
  CLI::Option* option =
      row.flag_value.empty()
          ? app.add_option_function<std::string>(name, checked, help)
                ->type_name(type_name(row.unit))
          : app.add_flag_callback(
                name, [checked, value = std::string(row.flag_value)] { checked(value); }, help);
  if (row.topic != Topic::serving) option->group(group_of(row.topic));
  return option;
}

void add_serve_options(CLI::App& serve, ServeOptions& options) {
  Settings& settings = options.settings;
  add_service_options(serve, options.which, Without::base_processor);
  add_log_options(serve, options.logging, settings.log_format, settings.log_file);
  add_filter_options(serve, settings.filter);
  for (const SettingRow& row : server::setting_rows()) {
    // Those have been added with others that they belong to.
    if (row.name.starts_with("log_") || is_of_filter(row)) continue;
    if (server::flag_of(row).empty()) continue;
    add_setting(serve, row, [&settings, &row](const std::string& flag, const std::string& text) {
      row.set(settings, flag, text);
    });
  }
  add_tls_options(serve, options.tls);
  serve
      .add_option(
          "--listen", options.listen,
          "Where to listen instead: host:port, [v6]:port or unix:/path; with --separate once "
          "for each processor")
      ->type_name("ADDRESS")
      ->allow_extra_args(false)
      ->take_all()
      ->excludes(serve.get_option("--port"));
  add_file_options(serve, options);
  serve.footer(footer());
}

settings_file::GivenSettings given_settings(const CLI::App& app, const TakesRow& takes) {
  settings_file::GivenSettings given;
  for (const SettingRow& row : server::setting_rows()) {
    const std::string flag = server::flag_of(row);
    const CLI::Option* option =
        flag.empty() || !takes(row) ? nullptr : app.get_option_no_throw(flag);
    if (option == nullptr || option->count() == 0) continue;
    const std::string text =
        row.flag_value.empty() ? option->results().back() : std::string(row.flag_value);
    given.put({&row, flag, text});
  }
  return given;
}

void note_given(const CLI::App& serve, ServeOptions& options) {
  options.which.given = given_settings(serve, [](const SettingRow&) { return true; });
  for (const SettingRow& row : server::setting_rows()) {
    if (const auto* given = options.which.given.find(row.name))
      server::note_source(options.settings, row, "flag " + given->source);
  }
  // With several services it is not among the settings.
  if (!options.listen.empty())
    server::note_source(options.settings, server::setting_row("listen"), "flag --listen");
}

}  // namespace extproc::cli
