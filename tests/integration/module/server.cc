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

namespace {

using namespace extproc;

void print(const Stats& stats) {
  std::printf(
      "stats {\"streams_started\": %lu, \"streams_open\": %lu, \"streams_failed\": %lu, "
      "\"messages\": %lu, \"immediate_responses\": %lu, \"handler_failures\": %lu, "
      "\"malformed_messages\": %lu, \"misused_answers\": %lu, \"fallbacks\": %lu, "
      "\"time_extensions\": %lu, \"early_ends\": %lu}\n",
      stats.streams_started, stats.streams_open, stats.streams_failed, stats.messages,
      stats.immediate_responses, stats.handler_failures, stats.malformed_messages,
      stats.misused_answers, stats.fallbacks, stats.time_extensions, stats.early_ends);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Settings settings;
  settings.port = std::stoi(argv[1]);
  for (int i = 3; i < argc; ++i) test_processors::set_setting(settings, argv[i]);
  Server server(cli::load_service({"test_processors", argv[2]}, cli::module_folders({})), settings);
  server.start();
  for (int number = 0; sigwait(&signals, &number) == 0;) {
    if (number != SIGUSR1) break;
    print(server.stats());
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
