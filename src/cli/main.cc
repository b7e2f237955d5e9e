#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "cli/commands.h"
#include "cli/options.h"
#include "server/process.h"

int main(int argc, char** argv) {
  namespace cli = extproc::cli;
  extproc::server::open_standard_files();
  cli::ParseResult result = cli::parse_options(argc, argv);
  if (!result.command) return result.exit_status;
  try {
    return std::visit([](auto& command) { return cli::run(std::move(command)); }, *result.command);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "extproc: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
