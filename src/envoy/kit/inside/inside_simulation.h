#pragma once

#include <memory>

#include "envoy/kit/connection_manager.h"
#include "envoy/kit/inside/module_filter.h"
#include "envoy/kit/inside/module_statistics.h"
#include "envoy/kit/inside/worker.h"
#include "extproc/testing/envoy.h"
#include "filter/filter.h"
#include "filter/route_filter.h"
#include "filter/stream.h"

namespace extproc::testing::envoy {

/// Envoy with this library's filter for dynamic modules in it, on the thread that runs it.
class InsideSimulation final : public ConnectionManager {
 public:
  /// `filter` counts in `statistics`. Of `route`, one without a filter that is not disabled says
  /// nothing. What is referred to must outlive it.
  InsideSimulation(filter::FilterHandle filter, filter::RouteFilter route,
                   ModuleStatistics& statistics, const EnvoyOptions& options,
                   const Exchange& exchange);

 private:
  // ConnectionManager
  bool take_from_processor(Time most, bool more) override;
  std::optional<Time> next_timer() const override { return std::nullopt; }
  void on_time() override {}
  bool is_full(Side side) const override { return pipe(side).is_full(); }
  void destroy_filter() override { module_.destroy(); }
  void finish() override;

  const filter::Stream* stream() const {
    return static_cast<const filter::Stream*>(module_.module());
  }
  /// A handler has not returned.
  bool is_in_use() const { return filter_.use_count() > 1 || route_.filter.use_count() > 1; }

  const filter::FilterHandle filter_;
  const filter::RouteFilter route_;
  ModuleStatistics& statistics_;
  Worker worker_;
  ModuleFilter module_;
  bool gave_up_ = false;
};

}  // namespace extproc::testing::envoy
