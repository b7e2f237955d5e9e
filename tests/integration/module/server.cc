// Serves a processor of this module, and tells its counters:
//
//   test_server PORT PROCESSOR [setting=value]...
//
// with the settings of set_setting.h. SIGUSR1 prints the counters on one line, SIGTERM ends it.

#include <extproc/server.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "cli/module_loader.h"
#include "set_setting.h"
#include "support/server_program.h"

namespace {

using namespace extproc;

int run(int argc, char** argv) {
  const sigset_t signals = server_program::block_signals();

  Settings settings;
  settings.port = std::stoi(argv[1]);
  for (int i = 3; i < argc; ++i) test_processors::set_setting(settings, argv[i]);
  Server server(cli::load_service({"test_processors", argv[2]}, cli::module_folders({})), settings);
  server.start();
  for (int number = 0; sigwait(&signals, &number) == 0;) {
    if (number != SIGUSR1) break;
    server_program::print_stats(server.stats());
  }
  server.shutdown();
  server.join();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: test_server PORT PROCESSOR [setting=value]...\n", stderr);
    return EXIT_FAILURE;
  }
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "test_server: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
