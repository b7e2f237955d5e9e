#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/server.h"
#include "server/configuration.h"
#include "server/metrics_page.h"
#include "server/worker.h"

namespace extproc::server {

/// What a server shows of itself. All that it refers to must outlive it.
class ServerMetrics final : public MetricsSource {
 public:
  struct Of {
    const std::string& name;
    const Configuration& configuration;
    const std::vector<std::unique_ptr<Worker>>& workers;
    detail::BlockingPool& blocking;
    const std::atomic<bool>& serving;
    /// The sum over the threads.
    std::function<Stats()> stats;
  };

  explicit ServerMetrics(Of of) : of_(std::move(of)) {}

  const std::string& name() const override { return of_.name; }
  bool ready() const override { return of_.serving.load(std::memory_order_relaxed); }
  void collect(metrics::Families& families) const override;

 private:
  void add_counters(metrics::Families& families) const;
  void add_gauges(metrics::Families& families) const;
  void add_threads(metrics::Families& families) const;
  void add_certificates(metrics::Families& families) const;
  void add_streams(metrics::Families& families) const;
  metrics::LabelPairs labels() const { return {{"processor", of_.name}}; }

  const Of of_;
};

}  // namespace extproc::server
