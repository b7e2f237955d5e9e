// Serves a processor of this module, and tells its counters:
//
//   test_server PORT PROCESSOR [setting=value]...
//
// with the settings of set_setting.h, or tls=FOLDER for mutual TLS. SIGUSR1 prints the counters on
// one line, SIGTERM ends it.

#include <extproc/error.h>
#include <extproc/server.h>
#include <extproc/tls.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "modules/module_loader.h"
#include "set_setting.h"
#include "support/server_program.h"

namespace {

using namespace extproc;

constexpr std::string_view kTls = "tls=";

/// With the certificates of harness/over_tls.py.
std::shared_ptr<Transport> mutual_tls(const std::string& folder) {
#ifdef EXTPROC_WITH_TLS
  TlsSettings tls;
  tls.certificate_file = folder + "/server.pem";
  tls.key_file = folder + "/server.key";
  tls.client_ca_file = folder + "/ca.pem";
  return tls_transport(std::move(tls));
#else
  throw Error("built without TLS: " + folder);
#endif
}

int run(int argc, char** argv) {
  const sigset_t signals = server_program::block_signals();

  Settings settings;
  settings.port = std::stoi(argv[1]);
  for (int i = 3; i < argc; ++i) {
    const std::string setting = argv[i];
    if (setting.starts_with(kTls)) {
      settings.transport = mutual_tls(setting.substr(kTls.size()));
    } else {
      test_processors::set_setting(settings, setting);
    }
  }
  Server server(modules::load_service({"test_processors", argv[2]}, modules::module_folders({})),
                settings);
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
