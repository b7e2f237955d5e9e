#include "server/server_metrics.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>

#include "metrics/stream_families.h"
#include "server/stats.h"
#include "server/transport.h"

namespace extproc::server {
namespace {

using metrics::Family;
using metrics::Join;
using metrics::Kind;

/// How a row of base/counters.h is published that is not by its own name.
struct Published {
  std::string_view counter;
  /// Empty: not, since what streams count says more.
  std::string_view name;
  std::string_view help{};
  std::string_view label{};
  std::string_view value{};
};

constexpr std::string_view kHandshakes = "extproc_tls_handshakes_total";
constexpr std::string_view kHandshakesHelp = "TLS handshakes that ended, by how";
constexpr std::string_view kReloads = "extproc_tls_reloads_total";
constexpr std::string_view kReloadsHelp = "Times that certificates had changed, by what came of it";

constexpr Published kPublished[] = {
    {"streams_open", "extproc_streams_inflight"},
    {"messages", ""},
    {"immediate_responses", ""},
    {"misused_answers", ""},
    {"tls_handshakes", kHandshakes, kHandshakesHelp, "result", "done"},
    {"tls_handshakes_failed", kHandshakes, kHandshakesHelp, "result", "failed"},
    {"tls_reloads", kReloads, kReloadsHelp, "result", "done"},
    {"tls_reloads_failed", kReloads, kReloadsHelp, "result", "failed"},
};

/// Counted where the lines and spans go, which servers of a process may share: each tells what all
/// of them have there.
constexpr std::string_view kShared[] = {"log_lines_dropped", "log_lines_left_out", "spans_sent",
                                        "spans_dropped"};

Join join_of(const CounterInfo& counter) {
  return std::ranges::find(kShared, counter.name) == std::end(kShared) ? Join::sum : Join::most;
}

std::string name_of(const CounterInfo& counter) {
  return "extproc_" + std::string(counter.name) +
         (counter.kind == CounterKind::counter ? "_total" : "");
}

double in_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void ServerMetrics::collect(metrics::Families& families) const {
  add_streams(families);
  add_counters(families);
  add_gauges(families);
  add_threads(families);
  add_certificates(families);
}

void ServerMetrics::add_counters(metrics::Families& families) const {
  for_each_counter(of_.stats(), [&](const CounterInfo& counter, std::uint64_t value) {
    const auto* own = std::ranges::find(kPublished, counter.name, &Published::counter);
    const bool renamed = own != std::end(kPublished);
    if (renamed && own->name.empty()) return;
    const std::string name = renamed ? std::string(own->name) : name_of(counter);
    const auto kind = counter.kind == CounterKind::counter ? Kind::counter : Kind::gauge;
    metrics::LabelPairs its = labels();
    if (renamed && !own->label.empty()) its.emplace_back(own->label, own->value);
    families.get(name, kind, renamed && !own->help.empty() ? own->help : counter.help)
        .add(std::move(its), static_cast<double>(value), join_of(counter));
  });
}

void ServerMetrics::add_gauges(metrics::Families& families) const {
  families
      .get("extproc_memory_limit_bytes", Kind::gauge,
           "What connections and streams may hold in memory for their peers, those of all servers "
           "of the process together (--memory-bytes)")
      .add(labels(), static_cast<double>(of_.workers.front()->memory_limit()), Join::most);
  families
      .get("extproc_blocking_queue_depth", Kind::gauge,
           "Work that waits for a blocking thread; what is refused counts in "
           "extproc_refused_jobs_total")
      .add(labels(), static_cast<double>(of_.blocking.waiting()));
  families
      .get("extproc_blocking_queue_limit", Kind::gauge,
           "How much work may wait for a blocking thread (--blocking-queue)")
      .add(labels(), of_.configuration.blocking_queue);
}

void ServerMetrics::add_threads(metrics::Families& families) const {
  Family& lag = families.get("extproc_loop_lag_seconds", Kind::gauge,
                             "How late an I/O thread came to what was due, the most of the last 10 "
                             "to 20 seconds: what its streams wait for each other");
  for (std::size_t i = 0; i < of_.workers.size(); ++i) {
    metrics::LabelPairs its = labels();
    its.emplace_back("worker", std::to_string(i));
    lag.add(std::move(its), in_seconds(of_.workers[i]->loop_lag()), Join::most);
  }
  if (of_.workers.empty()) return;
  families
      .get("extproc_message_timeout_seconds", Kind::gauge,
           "How long Envoy waits for each answer, as the server was told (--message-timeout)")
      .add(labels(), in_seconds(of_.workers.front()->settings().filter.message_timeout),
           Join::least);
}

void ServerMetrics::add_certificates(metrics::Families& families) const {
  if (!is_secure(of_.configuration)) return;
  Family& expiry =
      families.get("extproc_tls_certificate_expiry_timestamp_seconds", Kind::gauge,
                   "When a certificate in use expires, in seconds since the epoch: "
                   "of each role (server, intermediate, client_ca) the one that does first");
  for (const ServedCertificate& each : of_.configuration.transport->report().certificates) {
    metrics::LabelPairs its = labels();
    its.emplace_back("role", each.use);
    expiry.add(std::move(its), static_cast<double>(each.not_after.time_since_epoch().count()),
               Join::least);
  }
}

// Of each processor, what its cells of all threads have.
void ServerMetrics::add_streams(metrics::Families& families) const {
  std::vector<const detail::Dispatcher*> order;
  std::map<const detail::Dispatcher*, std::vector<const metrics::StreamCells*>> cells;
  for (const auto& worker : of_.workers) {
    worker->for_each_cells(
        [&](const detail::Dispatcher& processor, const metrics::StreamCells& its) {
          auto& all = cells[&processor];
          if (all.empty()) order.push_back(&processor);
          all.push_back(&its);
        });
  }
  for (const detail::Dispatcher* each : order) {
    metrics::add_streams({.processor = each->name(),
                          .phases = each->phases(),
                          .in_chain = each != order.front(),
                          .sample = of_.configuration.metrics_sample},
                         cells[each], families);
  }
}

}  // namespace extproc::server
