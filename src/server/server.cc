#include "extproc/server.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/access.h"
#include "base/counters.h"
#include "base/logger.h"
#include "extproc/detail/event_loop.h"
#include "extproc/error.h"
#include "processor/processor_life.h"
#include "server/configuration.h"
#include "server/distributor.h"
#include "server/drain.h"
#include "server/environment.h"
#include "server/grace_period.h"
#include "server/listener.h"
#include "server/operator_http.h"
#include "server/passed_sockets.h"
#include "server/server_admin.h"
#include "server/server_lines.h"
#include "server/server_metrics.h"
#include "server/setting_sources.h"
#include "server/settings_in_force.h"
#include "server/stats.h"
#include "server/transport_watch.h"
#include "server/worker.h"
#include "trace/exporter.h"

namespace extproc {

namespace asio = boost::asio;

/// One thread accepts and sees to the graceful end, so that no handler holds these up; the workers
/// do the rest.
class Server::Impl {
 public:
  Impl(Service service, const server::FilledSettings& filled)
      : service_(std::move(service)),
        configuration_(server::resolve(filled.settings, service_.address(), service_.sockets())),
        logger_(log::make_logger(configuration_.log_level, configuration_.log)),
        settings_(filled.settings, configuration_, service_.address()),
        blocking_(configuration_.blocking_threads, configuration_.blocking_queue),
        life_(service_, logger_, control_,
              {.waiting = "health is NOT_SERVING until it is", .ready = "health is SERVING"}),
        work_(control_.get_executor()) {
    lines_.read_from(filled.variables);
    lines_.has_no_traces(server::take_no_traces(filled.settings));
  }

  ~Impl() {
    shutdown(std::chrono::milliseconds::zero());
    join();
  }

  void start();
  void shutdown(std::chrono::milliseconds grace_period);
  void reload();
  void set_limits(const Limits& limits);
  void join();
  bool join_within_grace_period();
  Stats stats() const;
  void set_log_level(LogLevel level, std::string_view source);
  void take_sources(const Settings& given) { settings_.take_sources(given); }

  const Logger& logger() const { return logger_; }
  const server::Configuration& configuration() const { return configuration_; }
  const std::string& name() const { return service_.name(); }
  const server::Listener& listener() const {
    if (!listener_) throw Error("the server has no address before start()");
    return *listener_;
  }

 private:
  void open();
  void open_metrics();
  void watch_transport();
  void open_admin();
  void start_threads();
  void set_serving(bool serving);
  void run();

  const Service service_;
  server::Configuration configuration_;
  const Logger logger_;
  const server::ServerLines lines_{logger_, service_.name(), configuration_};
  server::SettingsInForce settings_;
  detail::BlockingPool blocking_;
  detail::ToldOnce told_;
  asio::io_context control_{1};
  processor::ProcessorLife life_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<server::Listener> listener_;
  /// Null where there are no traces.
  std::shared_ptr<trace::Exporter> exporter_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
  std::unique_ptr<server::Distributor> distributor_;
  std::unique_ptr<server::Drain> drain_;
  /// Of the transport; null without one.
  std::unique_ptr<server::TransportWatch> watch_;
  /// Null where operators do not ask. Shows what stands before it.
  std::unique_ptr<server::ServerAdmin> admin_;
  /// Of the thread that accepts.
  Counters counters_;
  std::atomic<bool> started_ = false;
  /// What health tells.
  std::atomic<bool> serving_ = false;
  std::mutex join_mutex_;
  server::GracePeriod grace_;
  std::thread thread_;
  /// Where the configuration has an address for them.
  std::optional<server::ServerMetrics> metrics_;
  std::optional<server::OperatorHttp<server::MetricsSource>> metrics_http_;
};

void Server::Impl::start() {
  if (listener_) throw Error("the server was started before");
  life_.start();
  try {
    open();
  } catch (...) {
    admin_.reset();
    metrics_http_.reset();
    life_.stop();
    throw;
  }
}

void Server::Impl::open() {
  // Who has seen the port open can ask what the server is at.
  open_admin();
  open_metrics();
  auto listener = std::make_unique<server::Listener>(
      control_, logger_,
      configuration_.sockets.empty() ? server::bind_sockets(configuration_.address)
                                     : server::adopt_sockets(configuration_.sockets));
  if (configuration_.tracing) exporter_ = trace::Exporter::of(*configuration_.tracing, logger_);
  for (unsigned i = 0; i < configuration_.threads; ++i) {
    workers_.push_back(std::make_unique<server::Worker>(configuration_, service_, logger_,
                                                        blocking_, told_, exporter_));
  }
  drain_ = std::make_unique<server::Drain>(
      control_, configuration_, *listener, workers_,
      [this] { lines_.cuts_streams(stats().streams_open); },
      [this] {
        if (watch_ != nullptr) watch_->close();
        work_.reset();
      });
  serving_ = life_.ready([this] { set_serving(true); });
  if (!serving_) set_serving(false);
  distributor_ = std::make_unique<server::Distributor>(workers_, configuration_.limits.connections,
                                                       logger_, counters_);
  listener->start(
      [this](server::AcceptedSocket socket) { distributor_->distribute(std::move(socket)); },
      [this] { distributor_->make_room(); });
  try {
    start_threads();
  } catch (const std::system_error& error) {
    workers_.clear();
    throw Error(std::string("cannot start a thread: ") + error.what());
  }
  listener_ = std::move(listener);
  // Before anybody may end it.
  if (admin_ != nullptr) admin_->join(listener_->address());
  started_ = true;
  lines_.listens(listener_->address(), workers_.size());
  if (metrics_) {
    metrics_http_->join(*metrics_);
    lines_.shows_metrics(metrics_http_->address());
  }
  if (exporter_ != nullptr) lines_.sends_spans(exporter_->peer());
  watch_transport();
}

void Server::Impl::open_admin() {
  if (!configuration_.server_admin) return;
  admin_ = std::make_unique<server::ServerAdmin>(server::ServerAdmin::Shown{
      .name = name(),
      .configuration = configuration_,
      .logger = logger_,
      .settings = settings_,
      .workers = workers_,
      .stats = [this] { return stats(); },
      .set_log_level = [this](LogLevel level,
                              std::string_view source) { set_log_level(level, source); }});
}

void Server::Impl::set_log_level(LogLevel level, std::string_view source) {
  settings_.update([&](Settings& settings) {
    settings.log_level = level;
    server::note_source(settings, server::setting_row("log_level"), std::string(source));
  });
  const LogLevel before = logger_.level();
  if (before == level) return;
  // While the more talkative of the two counts.
  if (level > before) lines_.level_changes(before, level, source);
  logger_.set_level(level);
  if (started_) {
    for (const auto& worker : workers_) worker->follow_log_level();
  }
  if (level < before) lines_.level_changes(before, level, source);
}

void Server::Impl::open_metrics() {
  if (!configuration_.metrics) return;
  metrics_http_.emplace(
      server::OperatorAddress{.address = *configuration_.metrics, .flag = "--metrics"},
      &server::answer_metrics);
  metrics_.emplace(server::ServerMetrics::Of{.name = service_.name(),
                                             .configuration = configuration_,
                                             .workers = workers_,
                                             .blocking = blocking_,
                                             .serving = serving_,
                                             .stats = [this] { return stats(); }});
}

void Server::Impl::watch_transport() {
  if (server::is_secure(configuration_)) {
    watch_ = std::make_unique<server::TransportWatch>(control_, configuration_.transport, logger_,
                                                      name(), counters_);
    watch_->start();
  } else {
    lines_.stays_clear(listener_->address());
  }
}

void Server::Impl::set_serving(bool serving) {
  serving_ = serving;
  for (const auto& worker : workers_) worker->set_serving(serving);
}

void Server::Impl::start_threads() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->start("extproc-" + std::to_string(i));
  }
  thread_ = std::thread([this] { run(); });
}

void Server::Impl::run() {
  control_.run();
  for (const auto& worker : workers_) worker->join();
  if (admin_ != nullptr) admin_->leave();
  blocking_.join();
  life_.stop();
  lines_.ended();
  grace_.note_end();
}

void Server::Impl::shutdown(std::chrono::milliseconds grace_period) {
  if (!started_) return;
  grace_.begin(grace_period);
  asio::post(control_, [this, grace_period] {
    life_.stop_asking();
    serving_ = false;
    drain_->begin(grace_period);
  });
}

void Server::Impl::reload() {
  if (!started_ || watch_ == nullptr) return;
  asio::post(control_, [this] { watch_->reload(); });
}

void Server::Impl::set_limits(const Limits& given) {
  const Limits limits = server::resolve(given);
  settings_.set_limits(given, limits);
  if (!started_) {
    configuration_.limits = limits;
    return;
  }
  asio::post(control_, [this, most = limits.connections] { distributor_->set_most(most); });
  for (const auto& worker : workers_) worker->set_limits(limits);
}

void Server::Impl::join() {
  join_within_grace_period();
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

bool Server::Impl::join_within_grace_period() {
  const std::lock_guard lock(join_mutex_);
  if (!thread_.joinable()) return true;
  if (!grace_.wait([this] { return lines_.still_running(workers_); })) return false;
  thread_.join();
  return true;
}

Stats Server::Impl::stats() const {
  Stats sum;
  server::add(counters_, sum);
  for (const auto& link : detail::Access::dispatcher(service_)->links())
    sum.processors.push_back({.name = link->name()});
  for (const auto& worker : workers_) {
    server::add(worker->counters(), sum);
    const auto links = worker->link_counters();
    for (std::size_t i = 0; i < links.size(); ++i) server::add(links[i], sum.processors[i]);
  }
  Counters own;
  own.log_lines_dropped.add(logger_.lost().dropped);
  own.log_lines_left_out.add(logger_.lost().left_out);
  if (exporter_ != nullptr) {
    const trace::Figures figures = exporter_->figures();
    own.spans_sent.add(figures.sent);
    own.spans_dropped.add(figures.dropped);
  }
  server::add(own, sum);
  return sum;
}

Server::Server(Service service, Settings settings) {
  if (service.transport() != nullptr) settings.transport = service.transport();
  const auto filled = server::fill_from_environment(
      std::move(settings), !service.address() && service.sockets().empty());
  impl_ = std::make_unique<Impl>(std::move(service), filled);
}
Server::~Server() = default;

void Server::start() { impl_->start(); }
int Server::port() const { return impl_->listener().port(); }
std::string Server::address() const { return impl_->listener().address(); }
const std::string& Server::name() const { return impl_->name(); }
void Server::shutdown() { shutdown(impl_->configuration().grace_period); }
void Server::shutdown(std::chrono::milliseconds grace_period) { impl_->shutdown(grace_period); }
void Server::reload() { impl_->reload(); }
void Server::set_limits(const Limits& limits) { impl_->set_limits(limits); }
void Server::join() { impl_->join(); }
bool Server::join_within_grace_period() { return impl_->join_within_grace_period(); }
Stats Server::stats() const { return impl_->stats(); }
void Server::set_log_level(LogLevel level) { impl_->set_log_level(level, "program"); }
void Server::set_log_level(LogLevel level, std::string_view source) {
  impl_->set_log_level(level, source);
}
void Server::take_sources(const Settings& given) { impl_->take_sources(given); }
const Logger& Server::logger() const { return impl_->logger(); }

}  // namespace extproc
