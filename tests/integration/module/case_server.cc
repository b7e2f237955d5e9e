// Serves a processor of this module for each case of tests/envoy_cases that names one, and tells
// what its server said of the answers:
//
//   case_server FILE
//
// A line of the file is "SOCKET PROCESSOR [setting=value]...". SIGUSR1 prints, for each line in
// order, "server <number> <misused_answers>" and its log lines as "log <number> <line>", then
// "end of report"; SIGTERM ends it.

#include <extproc/server.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "modules/module_loader.h"
#include "set_setting.h"
#include "support/server_program.h"

namespace {

using namespace extproc;

/// One case's server, and its log.
class CaseServer {
 public:
  explicit CaseServer(const std::string& line) {
    std::istringstream words(line);
    std::string socket, processor;
    words >> socket >> processor;
    Settings settings;
    settings.listen = "unix:" + socket;
    settings.threads = 1;
    for (std::string setting; words >> setting;) test_processors::set_setting(settings, setting);
    settings.log = [this](LogLevel, std::string_view message) {
      const std::lock_guard lock(mutex_);
      log_.emplace_back(message);
    };
    server_ = std::make_unique<Server>(
        modules::load_service({"test_processors", processor}, modules::module_folders({})),
        settings);
    server_->start();
  }

  void print(std::size_t number) {
    std::printf("server %zu %lu\n", number, server_->stats().misused_answers);
    const std::lock_guard lock(mutex_);
    for (const std::string& line : log_) std::printf("log %zu %s\n", number, line.c_str());
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<Server> server_;  // the first to go
};

int run(const char* path) {
  const sigset_t signals = server_program::block_signals();

  std::vector<std::unique_ptr<CaseServer>> servers;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    servers.push_back(std::make_unique<CaseServer>(line));
  std::puts("ready");
  std::fflush(stdout);
  for (int number = 0; sigwait(&signals, &number) == 0;) {
    if (number != SIGUSR1) break;
    for (std::size_t i = 0; i < servers.size(); ++i) servers[i]->print(i);
    std::puts("end of report");
    std::fflush(stdout);
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: case_server FILE\n", stderr);
    return EXIT_FAILURE;
  }
  try {
    return run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "case_server: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
