#include <utility>

#include "cli/commands.h"
#include "cli/logging.h"
#include "cli/services.h"
#include "extproc/server.h"

namespace extproc::cli {

int run(ServeOptions options) {
  options.settings.log = make_log_sink();
  if (!options.logging) options.settings.log_level = LogLevel::warning;
  std::vector<Service> services = make_services(options.which, options.listen, options.settings);
  return serve(std::move(services), std::move(options.settings));
}

}  // namespace extproc::cli
