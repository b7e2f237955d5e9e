// Serves as `extproc serve` does, with limits that it has no flag for, and tells its counters:
//
//   hostile_server [--limit NAME=VALUE]... [flag of extproc serve]...
//
// SIGUSR1 prints the counters as "stats <JSON>", SIGTERM ends it.

#include <extproc/server.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/options.h"
#include "cli/services.h"
#include "limits.h"
#include "server/process.h"
#include "support/server_program.h"

namespace {

using namespace extproc;

/// The arguments as the command wants them, and those that only this program knows.
struct Arguments {
  std::vector<const char*> command{"hostile_server", "serve"};
  std::vector<std::string_view> limits;

  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      if (std::string_view(argv[i]) == "--limit" && i + 1 < argc) {
        limits.emplace_back(argv[++i]);
      } else {
        command.push_back(argv[i]);
      }
    }
  }
};

int run(const Arguments& arguments) {
  const sigset_t signals = server_program::block_signals();

  auto parsed =
      cli::parse_options(static_cast<int>(arguments.command.size()), arguments.command.data());
  if (!parsed.command) return parsed.exit_status;
  auto& options = std::get<cli::ServeOptions>(*parsed.command);
  Settings& settings = options.settings;
  if (!options.logging) settings.log_level = LogLevel::warning;
  for (const std::string_view limit : arguments.limits) hostile::set_limit(settings.limits, limit);
  std::vector<Service> services = cli::make_services(options.which, options.listen, settings);

  Server server(std::move(services.front()), settings);
  server.start();
  server::MemoryTrimmer trimmer;
  const timespec interval{server::MemoryTrimmer::kInterval.count(), 0};
  for (int number = 0; number <= 0 || number == SIGUSR1;) {
    number = sigtimedwait(&signals, nullptr, &interval);
    if (number == SIGUSR1) server_program::print_stats(server.stats());
    trimmer.look(server.stats().memory_bytes);
  }
  server.shutdown();
  server.join();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  // As serve() does it.
  server::tune_allocator();
  // What is told must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(Arguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hostile_server: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
