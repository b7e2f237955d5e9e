#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "cli/logging.h"
#include "cli/module_loader.h"
#include "cli/options.h"
#include "extproc/error.h"
#include "extproc/processor.h"
#include "extproc/server.h"

namespace {

using namespace extproc;

std::vector<Service> make_services(const cli::Options& options) {
  std::vector<Service> services;
  if (options.service) {
    services.push_back(cli::load_service(cli::parse_service_spec(*options.service),
                                         cli::module_folders(options.module_path)));
  } else {
    services.push_back(Service::make<BaseExtProcService>());
  }
  return services;
}

int run(cli::Options options) {
  options.settings.log = cli::make_log_sink();
  if (!options.logging) options.settings.log_level = LogLevel::warning;
  return serve(make_services(options), std::move(options.settings));
}

}  // namespace

int main(int argc, char** argv) {
  cli::ParseResult result = cli::parse_options(argc, argv);
  if (!result.options) return result.exit_status;
  try {
    return run(std::move(*result.options));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "extproc: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
