#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "envoy/modes.h"
#include "envoy/write/documents.h"
#include "extproc/settings.h"
#include "extproc/tls.h"
#include "server/listen_address.h"
#include "settings_file/plan.h"
#include "tls/client_stream.h"

namespace extproc::cli {

/// Which processors, and how they are put together.
struct ServiceOptions {
  /// "module.Name", each once; empty: the base processor.
  std::vector<std::string> services{};
  /// Each for itself, not one chain.
  bool separate = false;
  /// Where modules are looked for first, in order.
  std::vector<std::string> module_path{};
  /// Of `serve` and `config`: a settings file. Its services count where none are named. Empty:
  /// none.
  std::string settings_file{};
  /// Each flag of a setting that was given, as it was: stronger than the file.
  settings_file::GivenSettings given{};
};

/// `extproc serve`.
struct ServeOptions {
  ServiceOptions which;
  /// Show log lines at LOG_LEVEL, not only warnings and errors.
  bool logging = false;
  /// With `separate`, the address of each service; else at most one.
  std::vector<std::string> listen;
  /// Only what a flag gave is set.
  Settings settings;
  /// Without a certificate: clear text.
  TlsSettings tls;
  /// Serve nothing: read the file and make all of it, or print the schema of such files.
  bool check_settings = false;
  bool settings_schema = false;
};

/// What a processor needs of its filter, beyond the phases that it handles.
struct NeedsOptions {
  std::optional<BodySendMode> request_body_mode{};
  std::optional<BodySendMode> response_body_mode{};
  bool skip_request_headers = false;
  /// The processor runs inside Envoy.
  bool in_process = false;
};

/// `extproc config`.
struct ConfigOptions {
  ServiceOptions which;
  NeedsOptions needs;
  envoy_config::Format format = envoy_config::Format::full;
  bool failure_mode_allow = false;
  /// None: clear text.
  std::optional<envoy_config::ProcessorTls> tls;
  FilterSettings filter;
  std::vector<std::string> addresses;
  std::vector<std::string> cluster_names;
  std::string listen = "127.0.0.1:8080";
  std::string admin = "127.0.0.1:9901";
  std::string upstream = "http://127.0.0.1:3000";
  std::optional<std::string> kubernetes_namespace;
  /// "Kind/name".
  std::optional<std::string> target;
  std::string gateway = "gateway";
};

/// `extproc check`.
struct CheckOptions {
  ServiceOptions which;
  NeedsOptions needs;
  std::string file;
  std::optional<std::string> filter;
  std::size_t message_bytes = Limits{}.message_bytes;
  /// What the server is told.
  FilterSettings told;
  /// Whether the server speaks TLS; nothing where no flag says so.
  std::optional<bool> tls;
  bool strict = false;
};

/// `extproc dev`.
struct DevOptions {
  ServiceOptions which;
  NeedsOptions needs;
  bool failure_mode_allow = false;
  /// Mutual TLS with certificates of the command's own.
  bool tls = false;
  FilterSettings filter;
  std::string upstream;
  std::string listen = "127.0.0.1:8080";
  std::string admin = "127.0.0.1:0";
  std::optional<std::string> envoy;
  bool logging = false;
  std::optional<LogFormat> log_format;
  std::optional<std::string> log_file;
};

/// `extproc health`.
struct HealthOptions {
  server::ListenAddress address;
  /// Empty: the server as a whole.
  std::string service{};
  std::chrono::milliseconds timeout{1000};
  /// Nothing: clear text. Its server_name is never empty.
  std::optional<tls::ClientSettings> tls{};
};

using Command = std::variant<ServeOptions, ConfigOptions, CheckOptions, DevOptions, HealthOptions>;

/// Reads the command line. Where there is nothing to do (help, version, wrong usage), it prints
/// what there is to say and gives the exit status instead of a command: 0, or 2 for wrong usage.
struct ParseResult {
  std::optional<Command> command;
  int exit_status = 0;
};
ParseResult parse_options(int argc, const char* const* argv);

inline constexpr int kWrongUsage = 2;

}  // namespace extproc::cli
