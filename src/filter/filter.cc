#include "filter/filter.h"

#include <boost/asio/post.hpp>
#include <limits>
#include <string>
#include <utility>

#include "base/access.h"
#include "extproc/error.h"
#include "filter/abi.h"
#include "filter/attributes.h"
#include "filter/background.h"
#include "filter/envoy_log.h"
#include "filter/processors.h"
#include "host/needs_of.h"
#include "log/make_logger.h"
#include "processor/processor_life.h"
#include "rules/needs.h"

namespace extproc::filter {

/// The processors from their start to their stop, which is on the background thread. Kept alive by
/// what is still to be done.
class Life : public std::enable_shared_from_this<Life> {
 public:
  Life(Service service, Logger logger)
      : service_(std::move(service)),
        logger_(std::move(logger)),
        life_(service_, logger_, Background::instance().io(),
              {.waiting = "requests fail, or pass without it, until it is",
               .ready = "requests go to it"}) {}

  /// On the main thread, before the others. Throws Error.
  void start() {
    life_.start();
    Background::instance().begin_use();
    // Those that are not ready yet are asked again on the background thread. It is told for as long
    // as this lives: stop() is behind it.
    if (life_.ready([this] { ready_ = true; })) ready_ = true;
  }
  void end() {
    boost::asio::post(Background::instance().io(), [self = shared_from_this()] {
      self->life_.stop();
      Background::instance().end_use();
    });
  }
  bool ready() const { return ready_.load(std::memory_order_relaxed); }

 private:
  const Service service_;
  const Logger logger_;
  processor::ProcessorLife life_;
  std::atomic<bool> ready_{false};
};

namespace {

/// Envoy waits for no answer here, however long it takes.
constexpr std::chrono::hours kNoMessageTimeout{24 * 365};
std::size_t worker_count() {
  // The main thread counts as one behind the others.
  return std::size_t{EXTPROC_ENVOY_CALL(get_concurrency)()} + 1;
}

Needs needs_of(const Service& service) {
  return host::needs_of(*detail::Access::dispatcher(service));
}

FilterConfig with_needs(FilterConfig config, const Service& service) {
  const Needs needs = needs_of(service);
  config.filter = rules::filled_in(std::move(config.filter), needs);
  config.filter.message_timeout = kNoMessageTimeout;
  config.filter.max_message_timeout = {};
  // Others count here without it; those to FULL_DUPLEX_STREAMED never do.
  config.filter.allow_mode_override = false;
  config.observability_mode |= needs.observability_mode;
  config.send_body_without_waiting |= needs.send_body_without_waiting_for_header_response;
  const auto add = [](std::vector<std::string>& all, const std::vector<std::string>& more) {
    for (const std::string& each : more) {
      if (std::ranges::find(all, each) == all.end()) all.push_back(each);
    }
  };
  add(config.request_attributes, needs.request_attributes);
  add(config.response_attributes, needs.response_attributes);
  add(config.metadata_namespaces, needs.metadata_read);
  return config;
}

host::Settings host_settings_of(const FilterConfig& config,
                                std::function<void(Violation)> on_violation) {
  return {.chain_header = config.chain_header,
          .filter = config.filter,
          .enforces_rules = true,
          .inside_envoy = true,
          .body_before_answer = true,
          .held_bytes = config.held_bytes,
          .held_time = config.held_time,
          .on_violation = std::move(on_violation)};
}

}  // namespace

Filter::Filter(FilterConfig config, GivenProcessor given, void* envoy_config)
    : config_(with_needs(std::move(config), given.service)),
      service_(std::move(given.service)),
      modes_(modes_of(config_, *detail::Access::dispatcher(service_), needs_of(service_))),
      logger_(given.log ? log::make_logger(LogLevel::info, {.sink = std::move(given.log)})
                        : make_envoy_logger()),
      statistics_(envoy_config),
      host_settings_(host_settings_of(config_, std::move(given.on_violation))),
      blocking_(config_.blocking_threads, config_.blocking_queue),
      workers_(worker_count()) {}

std::shared_ptr<Filter> Filter::make(FilterConfig config, GivenProcessor given,
                                     void* envoy_config) {
  config.all.check_all_read();
  std::shared_ptr<Filter> filter(new Filter(std::move(config), std::move(given), envoy_config));
  for (const auto* names :
       {&filter->config_.request_attributes, &filter->config_.response_attributes}) {
    for (const std::string& name : *names) {
      if (!is_attribute(name))
        filter->logger_.log(
            LogLevel::warning, LineKind::server,
            "the attribute " + name + " is not told: Envoy's dynamic modules do not have it");
    }
  }
  if (!EXTPROC_ENVOY_CALL(is_validation_mode)()) Background::instance().start();
  return filter;
}

std::shared_ptr<Filter> Filter::make(FilterConfig config, void* envoy_config) {
  Service service = make_service(config);
  auto filter = make(std::move(config), {.service = std::move(service)}, envoy_config);
  if (EXTPROC_ENVOY_CALL(is_validation_mode)()) return filter;
  Background::instance().rest_at_exit();
  auto life = std::make_shared<Life>(filter->service_, filter->logger_);
  life->start();
  filter->life_ = std::move(life);
  filter->logger_.log(LogLevel::info, LineKind::server, "runs " + filter->service_.name());
  return filter;
}

Filter::~Filter() {
  if (life_ != nullptr) life_->end();
}

bool Filter::ready() const { return life_ == nullptr || life_->ready(); }

Worker& Filter::worker(void* envoy) {
  const std::size_t index = EXTPROC_ENVOY_CALL(http_filter_get_worker_index)(envoy);
  if (index >= workers_.size())
    throw Error("Envoy has a worker " + std::to_string(index) + " of " +
                std::to_string(workers_.size()));
  if (workers_[index] == nullptr) workers_[index] = std::make_unique<Worker>(*this);
  return *workers_[index];
}

}  // namespace extproc::filter
