#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/header_name.h"
#include "cli/admin_page.h"
#include "cli/chain.h"
#include "cli/child_process.h"
#include "cli/commands.h"
#include "cli/dev_tls.h"
#include "cli/end_signals.h"
#include "cli/envoy_program.h"
#include "cli/needs.h"
#include "cli/processors.h"
#include "cli/services.h"
#include "cli/temporary_folder.h"
#include "cli/tls_build.h"
#include "envoy/write/documents.h"
#include "extproc/error.h"
#include "extproc/server.h"
#include "server/bound_socket.h"

namespace extproc::cli {
namespace {

namespace fs = std::filesystem;
using envoy_config::DocumentOptions;

constexpr std::chrono::milliseconds kPollInterval{50};
constexpr std::chrono::seconds kStartTime{30};
constexpr std::chrono::seconds kStopTime{5};
constexpr std::size_t kLogLines = 10;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string last_lines(const fs::path& log) {
  std::istringstream in(read(log));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::string text;
  const std::size_t first = lines.size() > kLogLines ? lines.size() - kLogLines : 0;
  for (std::size_t i = first; i < lines.size(); ++i) text += "  " + lines[i] + "\n";
  return text;
}

DocumentOptions document_options(const DevOptions& options) {
  DocumentOptions document;
  document.failure_mode_allow = options.failure_mode_allow;
  document.upgrades = true;
  document.listen = envoy_config::parse_listener("--listen", options.listen);
  document.admin = envoy_config::parse_listener("--admin", options.admin);
  document.upstream = envoy_config::parse_upstream("--upstream", options.upstream);
  return document;
}

/// Envoy would share it with another Envoy, each of which would get some of the connections.
void require_free(const envoy_config::Endpoint& address) {
  if (std::holds_alternative<server::TcpAddress>(address)) server::bind_sockets(address);
}

/// Makes what TLS takes, and tells Envoy's configuration of it; none without --tls.
std::shared_ptr<Transport> prepare_tls(const DevOptions& options, const fs::path& folder,
                                       DocumentOptions& document) {
  if (!options.tls) return nullptr;
  DevTls tls = make_dev_tls(folder);
  document.tls = std::move(tls.envoy);
  return std::move(tls.transport);
}

/// The processors, each behind a socket in the folder, or with TLS on a port of the loopback.
class Processors {
 public:
  Processors(const DevOptions& options, std::shared_ptr<Transport> transport,
             const fs::path& folder) {
    std::vector<Service> services = load_services(options.which);
    if (options.needs.in_process) {
      for (const Service& service : services) names_ += service.name() + " inside Envoy -> ";
      return;
    }
    if (services.size() > 1 && !options.which.separate) {
      Service chain = make_chain(std::move(services));
      services.clear();
      services.push_back(std::move(chain));
    }
    Settings settings;
    settings.filter = options.filter;
    settings.log_format = options.log_format;
    settings.log_file = options.log_file;
    if (!options.logging) settings.log_level = LogLevel::warning;
    settings = Settings::from_environment(std::move(settings));
    settings.transport = std::move(transport);
    for (Service& service : services) {
      const fs::path socket = folder / (std::to_string(servers_.size()) + ".sock");
      const std::string address = settings.transport ? "127.0.0.1:0" : "unix:" + socket.string();
      names_ += service.name() + " -> ";
      servers_.push_back(std::make_unique<Server>(std::move(service).on(address), settings));
      servers_.back()->start();
      addresses_.push_back(servers_.back()->address());
    }
  }

  const std::vector<std::string>& addresses() const { return addresses_; }
  /// "A -> B -> ".
  const std::string& names() const { return names_; }

 private:
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::string> addresses_;
  std::string names_;
};

void write_files(const fs::path& folder, const std::vector<envoy_config::Processor>& processors,
                 const DocumentOptions& document) {
  using envoy_config::Format;
  std::ofstream(folder / "envoy.yaml") << envoy_config::write(Format::full, processors, document);
  if (!document.tls) return;
  for (const Format format : {Format::sds_ca, Format::sds_certificate})
    std::ofstream(envoy_config::sds_file(*document.tls, format))
        << envoy_config::write(format, processors, document);
}

std::vector<std::string> envoy_command(const DevOptions& options, const fs::path& program,
                                       const fs::path& folder) {
  std::vector<std::string> command{program.string(),
                                   "--config-path",
                                   (folder / "envoy.yaml").string(),
                                   "--admin-address-path",
                                   (folder / "admin").string(),
                                   "--disable-hot-restart",
                                   "--concurrency",
                                   "1",
                                   "--log-level",
                                   "warning"};
  if (options.needs.in_process && options.logging) {
    std::string level(to_string(Settings::from_environment().log_level.value_or(LogLevel::info)));
    std::ranges::transform(level, level.begin(), lower_case);
    command.insert(command.end(), {"--component-log-level", "dynamic_modules:" + level});
  }
  return command;
}

/// Envoy, as a child with its files in the folder.
class EnvoyProcess {
 public:
  EnvoyProcess(const DevOptions& options, const fs::path& program, const fs::path& folder)
      : folder_(folder), process_(envoy_command(options, program, folder), log()) {}

  /// Throws Error with its last words when it has ended.
  void require_running() {
    if (!process_.ended()) return;
    const std::string log_lines = last_lines(log());
    const bool in_use = log_lines.find("Address already in use") != std::string::npos;
    throw Error("Envoy ended with " + *process_.ended() +
                (in_use ? ": its address is in use, choose another with --listen or --admin" : "") +
                (log_lines.empty() ? "; it said nothing" : "; its last lines:\n" + log_lines));
  }

  bool is_ready() {
    require_running();
    admin_ = read(folder_ / "admin");
    return !admin_.empty() && get_admin_page(admin_, "/ready").has_value();
  }

  const std::string& admin() const { return admin_; }

  /// The address of its listener, as it turned out.
  std::string address() const {
    constexpr std::string_view kName = "http::";
    const std::string listeners = get_admin_page(admin_, "/listeners").value_or("");
    const std::size_t at = listeners.find(kName);
    if (at == std::string::npos) return "";
    const std::size_t begin = at + kName.size();
    return listeners.substr(begin, listeners.find_first_of("\r\n", begin) - begin);
  }

  /// What modules have said since.
  void show_log_of_modules() {
    std::ifstream in(log(), std::ios::binary);
    in.seekg(shown_);
    for (std::string line; std::getline(in, line) && !in.eof(); shown_ = in.tellg()) {
      if (line.find("[dynamic_modules]") != std::string::npos) std::cerr << line << std::endl;
    }
  }

  void stop() { process_.stop(kStopTime); }

 private:
  fs::path log() const { return folder_ / "envoy.log"; }

  const fs::path folder_;
  std::streamoff shown_ = 0;  // of the log, in bytes
  ChildProcess process_;
  std::string admin_;
};

/// False when a signal came first.
bool wait_until_ready(EnvoyProcess& envoy, EndSignals& signals, const fs::path& program) {
  std::cerr << "extproc: starting " << program.string() << " ..." << std::endl;
  const auto limit = std::chrono::steady_clock::now() + kStartTime;
  while (!envoy.is_ready()) {
    if (signals.wait(kPollInterval)) return false;
    if (std::chrono::steady_clock::now() > limit) {
      throw Error("Envoy is not ready after " + std::to_string(kStartTime.count()) +
                  " s; is the upstream's name one that can be looked up?");
    }
  }
  return true;
}

void introduce(const EnvoyProcess& envoy, const Processors& processors, const DevOptions& options) {
  const std::string address = envoy.address();
  const bool is_socket = address.starts_with('/');
  const std::string url = is_socket ? "http://localhost" : "http://" + address;
  std::cout << url << (is_socket ? " on " + address : "") << " -> " << processors.names()
            << options.upstream << "\n\n  curl -i "
            << (is_socket ? "--unix-socket " + address + " " : "") << url
            << "/\n\nEnvoy's admin page: http://" << envoy.admin()
            << "\nCtrl-C ends Envoy and the processor." << std::endl;
}

}  // namespace

int run(const DevOptions& options) {
  // A reader of the output that is gone must not end the process before Envoy is stopped.
  for (const int signal : {SIGPIPE, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  if (const std::string why = options.tls ? why_no_tls("--tls") : ""; !why.empty())
    throw Error(why);
  if (options.needs.in_process && (options.log_format || options.log_file))
    throw Error("with --in-process Envoy writes the log: leave --log-format and --log-file out");
  DocumentOptions document = document_options(options);
  const auto needs = needs_of(options.which, options.needs, options.filter);
  const fs::path program = find_envoy(options.envoy);
  if (options.needs.in_process)
    ::setenv("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", find_envoy_module().c_str(), 1);
  require_free(document.listen);
  EndSignals signals;
  const TemporaryFolder folder;
  const Processors processors(options, prepare_tls(options, folder.path(), document),
                              folder.path());
  auto placed = place(needs, {processors.addresses(), {}, std::nullopt});
  if (options.needs.in_process) put_inside(placed, options.which);
  write_files(folder.path(), placed, document);
  EnvoyProcess envoy(options, program, folder.path());
  const auto show_log = [&] {
    if (options.needs.in_process) envoy.show_log_of_modules();
  };
  if (wait_until_ready(envoy, signals, program)) {
    introduce(envoy, processors, options);
    while (!signals.wait(kPollInterval)) {
      envoy.require_running();
      show_log();
    }
  }
  envoy.stop();
  show_log();
  return 0;
}

}  // namespace extproc::cli
