#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/log.h"
#include "extproc/rule.h"
#include "extproc/service.h"
#include "filter/filter_config.h"
#include "filter/modes.h"
#include "filter/statistics.h"
#include "filter/worker.h"

namespace extproc::filter {

class Life;

/// A processor in place of those that a configuration names, and who is told of it.
struct GivenProcessor {
  Service service;
  /// None: Envoy's log. Any thread.
  LogSink log{};
  /// On the request's worker, or in its turn.
  std::function<void(Violation)> on_violation{};
};

/// A filter as Envoy is configured with it: its processors, and what its requests share. It lives
/// as long as Envoy's configuration, and as any request of it whose handlers still run.
class Filter : public std::enable_shared_from_this<Filter> {
 public:
  /// Reads the configuration, loads and starts its processors. `envoy_config`: where its statistics
  /// are defined; null for a route's. On Envoy's main thread. Throws Error with what is wrong.
  static std::shared_ptr<Filter> make(FilterConfig config, void* envoy_config);
  /// The same with a processor that is there, and neither started nor stopped.
  static std::shared_ptr<Filter> make(FilterConfig config, GivenProcessor given,
                                      void* envoy_config);
  /// Stops the processors, soon after. Any thread.
  ~Filter();
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  const FilterConfig& config() const { return config_; }
  const Modes& modes() const { return modes_; }
  const Service& service() const { return service_; }
  const Logger& logger() const { return logger_; }
  const Statistics& statistics() const { return statistics_; }
  const host::Settings& host_settings() const { return host_settings_; }
  detail::BlockingPool& blocking() { return blocking_; }
  /// Its processors have said that they are; one that was given is. Any thread.
  bool ready() const;

  /// Of the HTTP stream's worker, on that.
  Worker& worker(void* envoy);

  /// Requests keep so many bytes more, or less. False where that is more than they may. Any thread.
  bool keep(std::ptrdiff_t bytes) {
    return kept_.fetch_add(bytes, std::memory_order_relaxed) + bytes <=
               static_cast<std::ptrdiff_t>(config_.memory_bytes) ||
           bytes <= 0;
  }

 private:
  Filter(FilterConfig config, GivenProcessor given, void* envoy_config);

  FilterConfig config_;
  Service service_;
  const Modes modes_;
  const Logger logger_;
  const Statistics statistics_;
  const host::Settings host_settings_;
  detail::BlockingPool blocking_;
  std::atomic<std::ptrdiff_t> kept_{0};
  std::shared_ptr<Life> life_;
  /// By the worker's number; each is made, and used, on its own worker.
  std::vector<std::unique_ptr<Worker>> workers_;
};

/// What Envoy holds of one, from http_filter_config_new to http_filter_config_destroy.
using FilterHandle = std::shared_ptr<Filter>;

}  // namespace extproc::filter
