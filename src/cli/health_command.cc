#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/health_client.h"

namespace extproc::cli {

int run(const HealthOptions& options) {
  require_serving(options);
  std::puts("SERVING");
  return EXIT_SUCCESS;
}

}  // namespace extproc::cli
