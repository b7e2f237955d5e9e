#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/options.h"
#include "server/settings_table.h"

namespace extproc::cli {

/// The heading of --help under which it stands; empty: none.
const char* group_of(server::Topic topic);

/// Takes the flag and what was given to it; throws Error.
using SetSetting = std::function<void(const std::string& flag, const std::string& text)>;

/// The flag of a setting, with its help. The row outlives the app.
CLI::Option* add_setting(CLI::App& app, const server::SettingRow& row, const SetSetting& set);

/// What is without -s.
enum class Without : std::uint8_t { refused, file, base_processor, filters_inside };
/// -s, --separate, --module-path.
void add_service_options(CLI::App& app, ServiceOptions& options, Without without);
/// Of FilterSettings what is compared with a configuration: --allow-mode-override and others.
void add_told_options(CLI::App& app, FilterSettings& filter);
/// --message-timeout and the others of FilterSettings. The times have to fit each other.
void add_filter_options(CLI::App& app, FilterSettings& filter);
/// --request-body-mode and the others of NeedsOptions; and an old name of --allow-mode-override.
void add_needs_options(CLI::App& app, NeedsOptions& options, FilterSettings& filter);

/// --message-bytes, as `extproc serve` has it.
void add_message_bytes(CLI::App& app, std::size_t& bytes);

/// --logging, --log-format, --log-file.
void add_log_options(CLI::App& app, bool& logging, std::optional<LogFormat>& format,
                     std::optional<std::string>& file);

/// --tls-cert and the others of TlsSettings. Where the command is built without TLS, each is
/// refused.
void add_tls_options(CLI::App& app, TlsSettings& tls);

void add_serve_options(CLI::App& app, ServeOptions& options);
/// Of which settings an app has the flags.
using TakesRow = std::function<bool(const server::SettingRow& row)>;
/// Once it is parsed: what was given of the table's flags, as it was.
settings_file::GivenSettings given_settings(const CLI::App& app, const TakesRow& takes);
/// The same of `serve`, and that it is from there.
void note_given(const CLI::App& serve, ServeOptions& options);
void add_config_options(CLI::App& app, ConfigOptions& options);
void add_check_options(CLI::App& app, CheckOptions& options);
void add_dev_options(CLI::App& app, DevOptions& options);
void add_health_options(CLI::App& app, HealthOptions& options);

}  // namespace extproc::cli
