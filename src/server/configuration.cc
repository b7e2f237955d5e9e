#include "server/configuration.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "extproc/error.h"
#include "server/listen_address.h"
#include "server/values.h"

namespace extproc::server {
namespace {

constexpr int kDefaultPort = 50051;
constexpr std::string_view kDefaultHeader = "x-ext-procs-applied";
constexpr unsigned kMostThreads = 1'024;

[[noreturn]] void refuse(std::string_view setting, std::string_view value,
                         std::string_view accepted) {
  throw Error(std::string(setting) + " is \"" + std::string(value) + "\": it must be " +
              std::string(accepted));
}

/// A setting with the variable that stands in for it.
template <class T, class Parse>
T choose(const std::optional<T>& given, const EnvironmentLookup& environment, const char* variable,
         Parse parse, std::string_view accepted, T fallback) {
  if (given) return *given;
  const auto text = environment(variable);
  if (!text) return fallback;
  if (auto value = parse(*text)) return *value;
  refuse(variable, *text, accepted);
}

std::chrono::milliseconds check_time(std::string_view setting, std::chrono::milliseconds value) {
  if (value.count() < 0 || value > kLongestTime) {
    refuse(setting, std::to_string(value.count()) + " ms", "from 0 to a year");
  }
  return value;
}

unsigned check_threads(std::string_view setting, unsigned value) {
  if (value == 0 || value > kMostThreads) {
    refuse(setting, std::to_string(value), "from 1 to " + std::to_string(kMostThreads));
  }
  return value;
}

ListenAddress choose_address(const Settings& settings,
                             const std::optional<std::string>& own_address,
                             const EnvironmentLookup& environment) {
  if (settings.port && settings.listen) {
    throw Error("Settings::port (" + std::to_string(*settings.port) + ") and Settings::listen (\"" +
                *settings.listen + "\") are both given: give one of them");
  }
  if (own_address) return parse_listen_address("Service::on", *own_address);
  if (settings.listen) return parse_listen_address("Settings::listen", *settings.listen);
  constexpr std::string_view kAccepted = "a port from 0 to 65535";
  const int port =
      choose(settings.port, environment, "GRPC_PORT", parse_port, kAccepted, kDefaultPort);
  if (port < 0 || port > kHighestPort) refuse("Settings::port", std::to_string(port), kAccepted);
  return default_address(port);
}

std::string choose_header(const Settings& settings, const EnvironmentLookup& environment) {
  const auto parse = [](const std::string& text) { return std::optional(text); };
  const std::string given = choose(settings.applied_header, environment, "EXTPROCS_APPLIED_HEADER",
                                   parse, {}, std::string(kDefaultHeader));
  std::string name = lower(given);
  if (!is_header_name(name)) {
    refuse(settings.applied_header ? "Settings::applied_header" : "EXTPROCS_APPLIED_HEADER", given,
           "the name of a header, other than \"host\" and those that begin with \":\"");
  }
  return name;
}

unsigned choose_threads(const Settings& settings) {
  const unsigned threads = settings.threads.value_or(0);
  if (threads == 0) return std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  return check_threads("Settings::threads", threads);
}

void check(const FilterSettings& filter) {
  const auto shown = [](std::chrono::milliseconds time) {
    return std::to_string(time.count()) + " ms";
  };
  if (filter.message_timeout.count() < 1 || filter.message_timeout > kLongestTime) {
    refuse("Settings::filter.message_timeout", shown(filter.message_timeout),
           "at least 1 ms, and what the filter's message_timeout is");
  }
  const bool off = filter.max_message_timeout.count() == 0;
  if (!off && (filter.max_message_timeout < filter.message_timeout ||
               filter.max_message_timeout > kLongestTime)) {
    refuse("Settings::filter.max_message_timeout", shown(filter.max_message_timeout),
           "0, or at least the message_timeout of " + shown(filter.message_timeout));
  }
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Configuration resolve(const Settings& settings, const std::optional<std::string>& own_address,
                      const EnvironmentLookup& environment) {
  using std::chrono::milliseconds;
  Configuration result;
  result.address = choose_address(settings, own_address, environment);
  result.grace_period =
      check_time("Settings::grace_period",
                 choose(settings.grace_period, environment, "SHUTDOWN_GRACE_PERIOD", parse_seconds,
                        "a number of seconds, as in \"5\" or \"0.5\"", result.grace_period));
  result.drain_delay =
      check_time("Settings::drain_delay", settings.drain_delay.value_or(result.drain_delay));
  result.threads = choose_threads(settings);
  result.blocking_threads = check_threads(
      "Settings::blocking_threads", settings.blocking_threads.value_or(result.blocking_threads));
  const bool reveal =
      choose(settings.reveal_chain, environment, "REVEAL_EXTPROC_CHAIN", parse_switch,
             "one of t, true, y, yes, 1, on, f, false, n, no, 0, off", true);
  const std::string header = choose_header(settings, environment);
  if (reveal) result.chain_header = header;
  result.log_level = choose(settings.log_level, environment, "LOG_LEVEL", parse_log_level,
                            "one of DEBUG, INFO, WARNING, ERROR, CRITICAL, OFF", result.log_level);
  result.log = settings.log ? settings.log : LogSink(log_to_stderr);
  result.observer = settings.observer;
  result.slow_handler = check_time("Settings::slow_handler", settings.slow_handler);
  check(settings.filter);
  result.filter = settings.filter;
  result.early_end = settings.early_end;
  result.automatic_mode_override = settings.automatic_mode_override;
  check(settings.limits);
  result.limits = settings.limits;
  return result;
}

}  // namespace extproc::server
