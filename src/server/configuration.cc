#include "server/configuration.h"

#include <algorithm>
#include <string_view>
#include <thread>

#include "extproc/error.h"
#include "rules/header_rules.h"
#include "server/listen_address.h"
#include "server/memory_limit.h"
#include "server/passed_sockets.h"
#include "server/values.h"
#include "trace/environment.h"

namespace extproc::server {
namespace {

constexpr int kDefaultPort = 50051;
constexpr unsigned kMostThreads = 1'024;
constexpr unsigned kLongestQueue = 1'000'000;
constexpr unsigned kRarestSample = 1'000'000;

std::chrono::milliseconds check_time(std::string_view setting, std::chrono::milliseconds value) {
  if (value.count() < 0 || value > kLongestTime) {
    refuse_value(setting, std::to_string(value.count()) + " ms", "from 0 to a year");
  }
  return value;
}

unsigned check_count(std::string_view setting, unsigned value, unsigned most) {
  if (value == 0 || value > most) {
    refuse_value(setting, std::to_string(value), "from 1 to " + std::to_string(most));
  }
  return value;
}

ListenAddress choose_address(const Settings& settings,
                             const std::optional<std::string>& own_address) {
  if (settings.port && settings.listen) {
    throw Error("Settings::port (" + std::to_string(*settings.port) + ") and Settings::listen (\"" +
                *settings.listen + "\") are both given: give one of them");
  }
  if (own_address) return parse_listen_address("Service::on", *own_address);
  if (settings.listen) return parse_listen_address("Settings::listen", *settings.listen);
  const int port = settings.port.value_or(kDefaultPort);
  if (port < 0 || port > kHighestPort) {
    refuse_value("Settings::port", std::to_string(port), kAcceptedPort);
  }
  return default_address(port);
}

/// Of the first of sockets that listen already.
ListenAddress address_of(const std::vector<int>& sockets,
                         const std::optional<std::string>& own_address) {
  if (own_address) {
    throw Error("Service::on(\"" + *own_address +
                "\") and Service::on_sockets are both given: give one of them");
  }
  for (const int fd : sockets) check_listening(fd, "the socket " + std::to_string(fd));
  return bound_address(sockets.front());
}

/// A transport is of a service's TCP, and a Unix domain socket stays clear.
void check_kinds(const std::vector<int>& sockets) {
  for (const int fd : sockets) {
    if (bound_address(fd).index() == bound_address(sockets.front()).index()) continue;
    throw Error(
        "with TLS the sockets that are handed to one service must be all of TCP, or all of the "
        "Unix domain, which stay clear: serve it once for each kind");
  }
}

std::string choose_header(const Settings& settings) {
  if (!settings.applied_header) return std::string(rules::kChainHeader);
  if (auto name = parse_header_name(*settings.applied_header)) return *name;
  refuse_value("Settings::applied_header", *settings.applied_header, kAcceptedHeaderName);
}

unsigned choose_threads(const Settings& settings) {
  const unsigned threads = settings.threads.value_or(0);
  if (threads == 0) return std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  return check_count("Settings::threads", threads, kMostThreads);
}

void check(const FilterSettings& filter) {
  const auto shown = [](std::chrono::milliseconds time) {
    return std::to_string(time.count()) + " ms";
  };
  if (filter.message_timeout.count() < 1 || filter.message_timeout > kLongestTime) {
    refuse_value("Settings::filter.message_timeout", shown(filter.message_timeout),
                 "at least 1 ms, and what the filter's message_timeout is");
  }
  const bool off = filter.max_message_timeout.count() == 0;
  if (!off && (filter.max_message_timeout < filter.message_timeout ||
               filter.max_message_timeout > kLongestTime)) {
    refuse_value("Settings::filter.max_message_timeout", shown(filter.max_message_timeout),
                 "0, or at least the message_timeout of " + shown(filter.message_timeout));
  }
}

std::optional<OperatorAddress> choose_admin(const Settings& settings) {
  if (!settings.server_admin) return std::nullopt;
  OperatorAddress where;
  where.flag = "--server-admin";
  where.address = parse_listen_address(where.flag, *settings.server_admin);
  where.owner_alone = true;
  where.loopback_alone = !settings.server_admin_anywhere;
  const auto* tcp = std::get_if<TcpAddress>(&where.address);
  if (tcp == nullptr || !where.loopback_alone || is_loopback_host(tcp->host)) return where;
  throw Error(
      "--server-admin " + to_string(where.address) +
      ": other machines may reach that, and whoever does may read all that it tells and "
      "set the level of the log: name 127.0.0.1:" +
      std::to_string(tcp->port) +
      " or unix:/path, or set server_admin_anywhere (--server-admin-anywhere) where the network is "
      "protected");
}

}  // namespace

bool is_secure(const Configuration& configuration) {
  return configuration.transport != nullptr &&
         std::holds_alternative<TcpAddress>(configuration.address);
}

Configuration resolve(const Settings& settings, const std::optional<std::string>& own_address,
                      const std::vector<int>& sockets) {
  Configuration result;
  result.sockets = sockets;
  result.address =
      sockets.empty() ? choose_address(settings, own_address) : address_of(sockets, own_address);
  result.transport = settings.transport;
  if (result.transport != nullptr) check_kinds(sockets);
  result.reflection = settings.reflection.value_or(result.reflection);
  result.grace_period =
      check_time("Settings::grace_period", settings.grace_period.value_or(result.grace_period));
  result.drain_delay =
      check_time("Settings::drain_delay", settings.drain_delay.value_or(result.drain_delay));
  result.threads = choose_threads(settings);
  result.blocking_threads =
      check_count("Settings::blocking_threads",
                  settings.blocking_threads.value_or(result.blocking_threads), kMostThreads);
  result.blocking_queue =
      check_count("Settings::blocking_queue",
                  settings.blocking_queue.value_or(result.blocking_queue), kLongestQueue);
  const std::string header = choose_header(settings);
  if (settings.reveal_chain.value_or(true)) result.chain_header = header;
  result.log_level = settings.log_level.value_or(result.log_level);
  result.log = {settings.log, settings.log_format.value_or(LogFormat::text),
                settings.log_file.value_or("")};
  result.redacted_headers = settings.redacted_headers;
  result.observer = settings.observer;
  result.observers = settings.observers;
  result.tracing = settings.tracing;
  if (result.tracing) trace::check(*result.tracing);
  if (settings.metrics) {
    result.metrics = parse_listen_address("Settings::metrics", *settings.metrics);
  }
  result.metrics_sample =
      check_count("Settings::metrics_sample",
                  settings.metrics_sample.value_or(result.metrics_sample), kRarestSample);
  result.slow_handler = check_time("Settings::slow_handler", settings.slow_handler);
  result.server_admin = choose_admin(settings);
  check(settings.filter);
  result.filter = settings.filter;
  result.early_end = settings.early_end;
  result.automatic_mode_override = settings.automatic_mode_override;
  result.limits = resolve(settings.limits);
  return result;
}

Limits resolve(Limits limits) {
  check(limits);
  if (limits.memory_bytes == 0)
    limits.memory_bytes = std::max(default_memory_bytes(), limits.message_bytes);
  return limits;
}

}  // namespace extproc::server
