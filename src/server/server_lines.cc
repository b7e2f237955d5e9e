#include "server/server_lines.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <variant>

#include "server/listen_address.h"

namespace extproc::server {
namespace {

/// For a thread that is asked what runs on it.
constexpr std::chrono::milliseconds kTimeToAnswer{200};
/// Handlers that are told by name.
constexpr std::size_t kMostNamed = 10;

}  // namespace

void ServerLines::tell(LogLevel level, const std::string& text) const {
  logger_.log(level, LineKind::server, text);
}

void ServerLines::read_from(const std::vector<std::string>& variables) const {
  if (variables.empty()) return;
  std::string names;
  for (const std::string& name : variables) names += (names.empty() ? "" : ", ") + name;
  tell(LogLevel::warning,
       "settings that are unset were read from the environment (" + names +
           "), which the next minor version does not do: write Server(service, "
           "Settings::from_environment()), or from_environment(settings) to keep settings "
           "of your own");
}

void ServerLines::has_no_traces(const std::string& why) const {
  if (why.empty()) return;
  tell(LogLevel::warning,
       "there are no traces: " + why +
           ". Where the variables of OpenTelemetry are meant for others, OTEL_TRACES_EXPORTER=none "
           "says that this program is to send none");
}

void ServerLines::listens(const std::string& address, std::size_t threads) const {
  tell(LogLevel::info, name_ + " listening on " + address + " (" + std::to_string(threads) +
                           (threads == 1 ? " thread)" : " threads)"));
  tell(LogLevel::info, name_ + " holds at most " +
                           std::to_string(configuration_.limits.memory_bytes >> 20) +
                           " MiB in memory for its peers, together with other servers of the "
                           "process (Limits::memory_bytes)");
}

void ServerLines::shows_metrics(const std::string& address) const {
  tell(LogLevel::info, name_ + " shows metrics on " + address + " (/metrics, /healthz, /readyz)");
}

void ServerLines::sends_spans(const std::string& peer) const {
  tell(LogLevel::info, name_ + " sends spans to " + peer + " (" +
                           std::string(to_string(configuration_.tracing->sampler)) + ")");
}

void ServerLines::stays_clear(const std::string& address) const {
  if (!std::holds_alternative<TcpAddress>(configuration_.address)) {
    if (configuration_.transport != nullptr)
      tell(LogLevel::info, name_ + " stays in clear text on a Unix domain socket");
  } else if (!is_loopback(address)) {
    tell(LogLevel::warning,
         name_ + " listens in clear text on " + address +
             ", which other machines may reach: serve with TLS (--tls-cert, --tls-key; "
             "extproc/tls.h), or on 127.0.0.1, unless a mesh or the network protects it");
  }
}

void ServerLines::level_changes(LogLevel before, LogLevel now, std::string_view source) const {
  tell(LogLevel::warning, name_ + " logs at " + std::string(to_string(now)) + ", and not at " +
                              std::string(to_string(before)) + " any more (" + std::string(source) +
                              ")");
}

void ServerLines::cuts_streams(std::uint64_t open) const {
  if (open == 0) return;
  tell(LogLevel::warning,
       name_ + ": the grace period is over, and " + std::to_string(open) +
           (open == 1 ? " stream is" : " streams are") +
           " ended that had not: a body that still goes through one is cut. Where responses "
           "take longer, a longer grace period (Settings::grace_period, --grace-period) "
           "lets them end");
}

std::size_t ServerLines::still_running(Workers workers) const {
  std::size_t running = 0;
  std::vector<std::string> lines;
  for (const auto& worker : workers) {
    const auto of_worker = worker->running_handlers(kMostNamed, kTimeToAnswer);
    running += of_worker ? of_worker->count : 1;
    if (!of_worker) lines.push_back(name_ + ": one that does not let its I/O thread go");
    if (of_worker) lines.insert(lines.end(), of_worker->names.begin(), of_worker->names.end());
  }
  if (running == 0) return 0;
  tell(LogLevel::error, name_ + ": the grace period is over, and " + std::to_string(running) +
                            (running == 1 ? " handler has" : " handlers have") + " not returned");
  lines.resize(std::min(lines.size(), kMostNamed));
  for (const std::string& line : lines) tell(LogLevel::error, "still running: " + line);
  return running;
}

void ServerLines::ended() const { tell(LogLevel::info, name_ + " has ended"); }

}  // namespace extproc::server
