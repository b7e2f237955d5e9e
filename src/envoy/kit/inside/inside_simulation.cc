#include "envoy/kit/inside/inside_simulation.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/logger.h"

namespace extproc::testing::envoy {
namespace {

using Clock = std::chrono::steady_clock;

/// What a handler waits for that does not come in this time never comes.
constexpr Time kPatience = std::chrono::seconds(10);
constexpr Time kBetweenLooks = std::chrono::milliseconds(1);

}  // namespace

InsideSimulation::InsideSimulation(filter::FilterHandle filter, filter::RouteFilter route,
                                   ModuleStatistics& statistics, const EnvoyOptions& options,
                                   const Exchange& exchange)
    : ConnectionManager(module_, options, exchange),
      filter_(std::move(filter)),
      route_(std::move(route)),
      statistics_(statistics),
      module_({.config = &filter_,
               .route = route_.disabled || route_.filter != nullptr ? &route_ : nullptr,
               .worker = worker_,
               .statistics = statistics,
               .buffer_limit = options.buffer_limit_bytes,
               .peer = options.peer},
              *this) {}

bool InsideSimulation::take_from_processor(Time most, bool more) {
  if (worker_.run_posted()) return true;
  if (gave_up_ || stream() == nullptr) return false;
  if (!stream()->at_work() && (more || !stream()->awaits_time())) return false;
  const auto before = Clock::now();
  const bool done = worker_.run_posted(std::min(most, kPatience));
  pass(std::min<Time>(Clock::now() - before, most));
  gave_up_ = !done && most > kPatience;
  return done;
}

void InsideSimulation::finish() {
  result().statistics = statistics_.counters();
  result().dynamic_metadata = module_.metadata().taken();
  const auto until = Clock::now() + kPatience;
  while (is_in_use() && Clock::now() < until) worker_.run_posted(kBetweenLooks);
  if (is_in_use())
    filter_->logger().log(
        LogLevel::error, LineKind::server,
        "a handler waits for something that never comes, not even when it is cancelled");
}

}  // namespace extproc::testing::envoy
