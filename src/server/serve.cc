#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/access.h"
#include "base/logger.h"
#include "extproc/error.h"
#include "extproc/server.h"
#include "extproc/service_manager.h"
#include "log/make_logger.h"
#include "server/configuration.h"
#include "server/environment.h"
#include "server/passed_sockets.h"
#include "server/process.h"
#include "server/process_memory.h"
#include "server/values.h"

namespace extproc {
namespace {

namespace asio = boost::asio;
using Servers = std::vector<std::unique_ptr<Server>>;

void check_addresses(const std::vector<Service>& services, const Settings& settings) {
  std::map<std::string, std::string> users;
  for (const Service& service : services) {
    const auto address = server::resolve(settings, service.address(), service.sockets()).address;
    const auto* tcp = std::get_if<server::TcpAddress>(&address);
    if (tcp != nullptr && tcp->port == 0) continue;
    const std::string text = server::to_string(address);
    const auto [other, is_new] = users.emplace(text, service.name());
    if (is_new) continue;
    throw Error(other->second + " and " + service.name() + " would both listen on " + text +
                ": give each a port of its own, with Service::on(port)");
  }
}

/// How long the end waits for the last lines of the log.
constexpr std::chrono::milliseconds kLastLines{200};
/// Above what an end takes once the grace period is over.
constexpr std::chrono::seconds kBeyondGrace{5};

std::string microseconds_text(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

/// As the service manager reads the clock.
std::string microseconds_now() {
  return microseconds_text(std::chrono::steady_clock::now().time_since_epoch());
}

/// For whoever asks the service manager.
std::string described(const Servers& servers) {
  std::string text = "serving ";
  for (const auto& server : servers) {
    if (server != servers.front()) text += ", ";
    text += server->name() + " on " + server->address();
  }
  return text;
}

/// Waits for the signals that end a process, and ends the servers; those that do not are heard
/// meanwhile.
class SignalLoop {
 public:
  SignalLoop(const Logger& logger, std::chrono::milliseconds grace_period)
      : logger_(logger),
        grace_period_(grace_period),
        signals_(io_, SIGTERM, SIGINT),
        hints_(io_, SIGHUP, SIGUSR1) {}

  void run(const Servers& servers) {
    signals_.async_wait([this, &servers](const boost::system::error_code& error, int) {
      if (!error) shut_down(servers);
    });
    listen_to_hints(servers);
    trim_memory();
    io_.run();
    joiner_.join();
  }

 private:
  void listen_to_hints(const Servers& servers) {
    hints_.async_wait([this, &servers](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGUSR1) {
        logger_.reopen();
      } else {
        logger_.log(LogLevel::info, LineKind::server,
                    "SIGHUP reads certificates anew; SIGTERM ends the server, SIGUSR1 opens its "
                    "log file anew");
        notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + microseconds_now());
        for (const auto& server : servers) server->reload();
        notify_service_manager("READY=1");
      }
      listen_to_hints(servers);
    });
  }

  void trim_memory() {
    trim_.expires_after(server::MemoryTrimmer::kInterval);
    trim_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      trimmer_.look(server::ProcessMemory::instance().held());
      trim_memory();
    });
  }

  void shut_down(const Servers& servers) {
    logger_.log(LogLevel::info, LineKind::server,
                "shutting down, grace period " + server::seconds_text(grace_period_) +
                    "; send the signal again to end at once");
    // What is beyond the grace period is for what a server does at its end.
    notify_service_manager("STOPPING=1\nEXTEND_TIMEOUT_USEC=" +
                           microseconds_text(grace_period_ + kBeyondGrace));
    for (const auto& server : servers) server->shutdown();
    // The servers are waited for elsewhere, so that the second signal is heard.
    signals_.async_wait([](const boost::system::error_code& error, int signal) {
      if (error) return;
      log::flush(kLastLines);
      std::_Exit(128 + signal);
    });
    joiner_ = std::thread([this, &servers] {
      bool ended = true;
      for (const auto& server : servers)
        ended = detail::Access::join_within_grace_period(*server) && ended;
      if (!ended) end_without_handlers();
      io_.stop();
    });
  }

  /// Their threads cannot be ended, and use what a return from main would destroy.
  [[noreturn]] void end_without_handlers() {
    logger_.log(LogLevel::error, LineKind::server,
                "the process ends without the handlers that have not returned");
    log::flush(kLastLines);
    std::_Exit(EXIT_FAILURE);
  }

  const Logger& logger_;
  const std::chrono::milliseconds grace_period_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::signal_set hints_;
  asio::steady_timer trim_{io_};
  server::MemoryTrimmer trimmer_;
  std::thread joiner_;
};

void serve_until_signal(std::vector<Service> services, Settings given) {
  if (services.empty()) throw Error("there is no service to serve");
  const auto passed = passed_sockets();
  if (!passed.empty()) services = server::on_passed_sockets(std::move(services), passed, given);
  const bool address_counts = std::ranges::any_of(services, [](const Service& service) {
    return !service.address() && service.sockets().empty();
  });
  const Settings settings =
      server::fill_from_environment(std::move(given), address_counts).settings;
  check_addresses(services, settings);
  const auto configuration =
      server::resolve(settings, services.front().address(), services.front().sockets());
  const Logger logger = log::make_logger(configuration.log_level, configuration.log);
  // From here on, so that a signal during the start is not lost.
  SignalLoop signals(logger, configuration.grace_period);
  Servers servers;
  for (Service& service : services) {
    servers.push_back(std::make_unique<Server>(std::move(service), settings));
  }
  for (const auto& server : servers) server->start();
  notify_service_manager("READY=1\nSTATUS=" + described(servers));
  signals.run(servers);
}

}  // namespace

int serve(Service service, Settings settings) {
  std::vector<Service> services;
  services.push_back(std::move(service));
  return serve(std::move(services), std::move(settings));
}

int serve(std::vector<Service> services, Settings settings) {
  server::open_standard_files();
  server::ignore_signals();
  server::tune_allocator();
  try {
    serve_until_signal(std::move(services), std::move(settings));
    // Those that were heard are back at their defaults.
    server::ignore_signals();
    return EXIT_SUCCESS;
  } catch (const Error& error) {
    server::ignore_signals();
    log::flush(kLastLines);
    std::fprintf(stderr, "extproc: %s\n", error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace extproc
