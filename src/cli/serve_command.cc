#include <utility>

#include "cli/commands.h"
#include "cli/services.h"
#include "extproc/server.h"
#include "server/process.h"
#include "server/setting_sources.h"

namespace extproc::cli {

int run(ServeOptions options) {
  server::ignore_signals();
  if (!options.logging) {
    options.settings.log_level = LogLevel::warning;
    server::note_source(options.settings, server::setting_row("log_level"),
                        "the command, without --logging");
  }
  std::vector<Service> services = make_services(options.which, options.listen, options.settings);
#ifdef EXTPROC_WITH_TLS
  if (!options.tls.certificate_file.empty())
    options.settings.transport = tls_transport(std::move(options.tls));
#endif
  return serve(std::move(services), std::move(options.settings));
}

}  // namespace extproc::cli
