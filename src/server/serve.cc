#include "server/serve.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
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
#include "log/line_writer.h"
#include "log/make_logger.h"
#include "server/configuration.h"
#include "server/environment.h"
#include "server/manager_notes.h"
#include "server/passed_sockets.h"
#include "server/process.h"
#include "server/process_memory.h"
#include "server/repeated_job.h"
#include "server/values.h"

namespace extproc {
namespace {

namespace asio = boost::asio;
using server::Served;
using server::Servers;

/// How long the end waits for the last lines of the log.
constexpr std::chrono::milliseconds kLastLines{200};
/// For a reload that is under way when all else has ended.
constexpr std::chrono::milliseconds kTimeToReload{500};

/// Waits for the signals that end a process, and ends the servers; those that do not are heard
/// meanwhile.
class SignalLoop {
 public:
  SignalLoop(std::chrono::milliseconds grace_period, const server::ServeHooks& hooks)
      : grace_period_(grace_period),
        hooks_(hooks),
        signals_(io_, SIGTERM, SIGINT),
        hints_(io_, SIGHUP, SIGUSR1) {}

  /// There is at least one server; what is told goes to the first one's log.
  void run(const Servers& servers) {
    logger_ = &detail::Access::logger(*servers.front());
    server::RepeatedJob reload([&] {
      hooks_.on_hangup(servers, *logger_);
      server::tell_reloaded();
    });
    reload_ = &reload;
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
        logger_->reopen();
        log::LineWriter::reopen_all();
      } else {
        const std::string more = hooks_.on_hangup ? " and the settings file" : "";
        logger_->log(LogLevel::info, LineKind::server,
                     "SIGHUP reads certificates" + more +
                         " anew; SIGTERM ends the server, SIGUSR1 opens its log file anew");
        server::tell_reloading();
        for (const auto& server : servers) server->reload();
        if (hooks_.on_hangup) {
          reload_->ask();
        } else {
          server::tell_reloaded();
        }
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
    logger_->log(LogLevel::info, LineKind::server,
                 "shutting down, grace period " + server::seconds_text(grace_period_) +
                     "; send the signal again to end at once");
    server::tell_stopping(grace_period_);
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
      if (!reload_->end(kTimeToReload)) end_without_reload();
      io_.stop();
    });
  }

  [[noreturn]] void end_without_reload() {
    logger_->log(LogLevel::error, LineKind::server,
                 "the process ends without the reload of a processor that has not returned");
    log::flush(kLastLines);
    std::_Exit(EXIT_FAILURE);
  }

  /// Their threads cannot be ended, and use what a return from main would destroy.
  [[noreturn]] void end_without_handlers() {
    logger_->log(LogLevel::error, LineKind::server,
                 "the process ends without the handlers that have not returned");
    log::flush(kLastLines);
    std::_Exit(EXIT_FAILURE);
  }

  const Logger* logger_ = nullptr;
  const std::chrono::milliseconds grace_period_;
  const server::ServeHooks& hooks_;
  /// While it runs.
  server::RepeatedJob* reload_ = nullptr;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::signal_set hints_;
  asio::steady_timer trim_{io_};
  server::MemoryTrimmer trimmer_;
  std::thread joiner_;
};

void serve_until_signal(const server::ServeHooks& hooks) {
  std::vector<Served> services = hooks.make();
  if (services.empty()) throw Error("there is no service to serve");
  if (const auto passed = passed_sockets(); !passed.empty())
    services = server::on_passed_sockets(std::move(services), passed);
  const auto tracing = server::read_tracing();
  for (auto& [service, settings] : services) {
    const bool address_counts = server::has_address_of_settings(service);
    settings = server::fill_tracing(
        server::fill_from_environment(std::move(settings), address_counts).settings, tracing);
  }
  server::check_addresses(services);
  const auto& [first, its_settings] = services.front();
  const auto configuration = server::resolve(its_settings, first.address(), first.sockets());
  // From here on, so that a signal during the start is not lost.
  SignalLoop signals(configuration.grace_period, hooks);
  Servers servers;
  for (auto& [service, settings] : services)
    servers.push_back(std::make_unique<Server>(std::move(service), std::move(settings)));
  for (const auto& server : servers) server->start();
  server::tell_ready(servers);
  signals.run(servers);
}

}  // namespace

void server::check_addresses(const std::vector<Served>& services) {
  std::vector<std::pair<ListenAddress, std::string>> users;
  for (const auto& [service, settings] : services) {
    const auto address = server::resolve(settings, service.address(), service.sockets()).address;
    const auto* tcp = std::get_if<server::TcpAddress>(&address);
    if (tcp != nullptr && tcp->port == 0) continue;
    const auto other = std::ranges::find_if(
        users, [&address](const auto& user) { return overlap(user.first, address); });
    if (other == users.end()) {
      users.emplace_back(address, service.name());
      continue;
    }
    const std::string text = to_string(address);
    const std::string its = to_string(other->first);
    std::string what = other->second;
    if (its == text) {
      what.append(" and ").append(service.name()).append(" would both listen on ");
    } else {
      what.append(" on ").append(its).append(" and ").append(service.name());
      what.append(" would share the port of ");
    }
    throw Error(what + text +
                ": give each a port of its own, with Service::on(port), or as `port` in a settings "
                "file");
  }
}

int serve(Service service, Settings settings) {
  std::vector<Service> services;
  services.push_back(std::move(service));
  return serve(std::move(services), std::move(settings));
}

int serve(std::vector<Service> services, Settings settings) {
  return server::serve({.make = [&] {
    std::vector<Served> served;
    served.reserve(services.size());
    for (Service& service : services) served.push_back({std::move(service), settings});
    return served;
  }});
}

int server::serve(const ServeHooks& hooks) {
  server::open_standard_files();
  server::ignore_signals();
  server::tune_allocator();
  try {
    serve_until_signal(hooks);
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
