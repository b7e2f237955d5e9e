#include <cstdio>
#include <utility>

#include "cli/commands.h"
#include "cli/services.h"
#include "extproc/server.h"
#include "extproc/settings_file.h"
#include "server/process.h"
#include "server/setting_sources.h"
#include "settings_file/serve.h"

namespace extproc::cli {
namespace {

settings_file::Source source(ServeOptions& options) {
  settings_file::Overlay flags{.listen = std::move(options.listen)};
  if (!options.tls.certificate_file.empty())
    flags.common.tls = {.settings = std::move(options.tls), .source = "--tls-cert"};
  auto& modes = options.settings.filter.allowed_override_modes;
  if (!modes.empty())
    flags.common.overrides = {.modes = std::move(modes), .source = "--allowed-override-mode"};
  if (!options.logging)
    flags.otherwise = {&server::setting_row("log_level"), "without --logging", "WARNING"};
  return source_of(options.which, std::move(flags));
}

int check_settings(settings_file::Source source) {
  std::fputs(settings_file::check(std::move(source)).c_str(), stdout);
  return 0;
}

}  // namespace

int run(ServeOptions options) {
  if (options.settings_schema) {
    std::fputs(settings_file_schema().c_str(), stdout);
    return 0;
  }
  server::ignore_signals();
  if (options.check_settings) return check_settings(source(options));
  if (!options.which.settings_file.empty()) return settings_file::serve(source(options));
  if (!options.logging) {
    options.settings.log_level = LogLevel::warning;
    server::note_source(options.settings, server::setting_row("log_level"),
                        "the command, without --logging");
  }
  if (!options.settings.filter.allowed_override_modes.empty())
    server::note_source(options.settings, server::kAllowedOverrideModes,
                        "flag --allowed-override-mode");
  std::vector<Service> services = make_services(options.which, options.listen, options.settings);
#ifdef EXTPROC_WITH_TLS
  if (!options.tls.certificate_file.empty()) {
    options.settings.transport = tls_transport(std::move(options.tls));
    server::note_source(options.settings, server::kTls, "flag --tls-cert");
  }
#endif
  return serve(std::move(services), std::move(options.settings));
}

}  // namespace extproc::cli
