#include "extproc/testing/inside_envoy.h"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "envoy/kit/inside/callbacks.h"
#include "envoy/kit/inside/inside_simulation.h"
#include "envoy/kit/inside/module_config.h"
#include "extproc/error.h"
#include "filter/filter.h"

namespace extproc::testing {
namespace {

/// What is told of an exchange besides. Kept by who tells, for as long as that may be.
class Report {
 public:
  void line(LogLevel level, std::string_view message) {
    const std::lock_guard lock(mutex_);
    log_.push_back(std::string(to_string(level)) + ": " + std::string(message));
  }
  void violation(Violation violation) {
    const std::lock_guard lock(mutex_);
    violations_.push_back(std::move(violation));
  }
  void move_into(EnvoyResult& result) {
    const std::lock_guard lock(mutex_);
    result.log = std::move(log_);
    result.violations = std::move(violations_);
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> log_;
  std::vector<Violation> violations_;
};

filter::GivenProcessor given(const Service& processor, const std::shared_ptr<Report>& report) {
  return {
      .service = processor,
      .log = [report](LogLevel level, std::string_view message) { report->line(level, message); },
      .on_violation = [report](Violation violation) { report->violation(std::move(violation)); }};
}

/// In the words of Envoy's refusal.
template <class Make>
auto or_config_error(Make make) {
  try {
    return make();
  } catch (const Error& error) {
    throw EnvoyConfigError(error.what());
  }
}

/// What the most specific of the routes says.
filter::RouteFilter route_filter(const Exchange& exchange,
                                 const filter::GivenProcessor& processor) {
  if (exchange.per_route.empty()) return {};
  auto route = filter::read_route_config(processor.service.name(),
                                         envoy::read_module_config(exchange.per_route.back()));
  if (route.disabled) return {.disabled = true};
  return {.filter = filter::Filter::make(*std::move(route.config), processor, nullptr)};
}

}  // namespace

InsideEnvoy::InsideEnvoy(std::string_view filter_config, EnvoyOptions options)
    : config_(envoy::read_module_config(filter_config)), options_(std::move(options)) {
  // Its processor is not known yet.
  or_config_error([&] { return filter::read_filter_config("processor", config_); });
}

EnvoyResult InsideEnvoy::run(const Service& processor, const Exchange& exchange) const {
  const auto report = std::make_shared<Report>();
  const filter::GivenProcessor its = given(processor, report);
  const envoy::EnvoyLog log(its.log);
  envoy::ModuleStatistics statistics;
  auto filter = or_config_error([&] {
    return filter::Filter::make(filter::read_filter_config(processor.name(), config_), its,
                                &statistics);
  });
  auto route = or_config_error([&] { return route_filter(exchange, its); });
  EnvoyResult result =
      envoy::InsideSimulation(std::move(filter), std::move(route), statistics, options_, exchange)
          .run();
  report->move_into(result);
  return result;
}

}  // namespace extproc::testing
