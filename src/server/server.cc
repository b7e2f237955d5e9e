#include "extproc/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
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
#include "server/configuration.h"
#include "server/distributor.h"
#include "server/drain.h"
#include "server/environment.h"
#include "server/listener.h"
#include "server/operator_http.h"
#include "server/passed_sockets.h"
#include "server/processor_life.h"
#include "server/server_admin.h"
#include "server/server_metrics.h"
#include "server/settings_in_force.h"
#include "server/stats.h"
#include "server/transport_watch.h"
#include "server/worker.h"
#include "trace/exporter.h"

namespace extproc {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

/// After the streams were ended, for handlers that hear of it, and for last answers.
constexpr std::chrono::milliseconds kTimeToReturn{500};
/// For a thread that is asked what runs on it.
constexpr std::chrono::milliseconds kTimeToAnswer{200};
/// Handlers that are told by name.
constexpr std::size_t kMostNamed = 10;

}  // namespace

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
        life_(service_, logger_, control_),
        work_(control_.get_executor()) {
    warn_of(filled.variables);
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
  void warn_of(const std::vector<std::string>& variables) const;
  void open();
  void open_metrics();
  void watch_transport();
  void open_admin();
  void start_threads();
  void set_serving(bool serving);
  void run();
  bool ends_within_grace_period();
  void tell_cut_streams();
  std::size_t tell_running_handlers();

  const Service service_;
  server::Configuration configuration_;
  const Logger logger_;
  server::SettingsInForce settings_;
  detail::BlockingPool blocking_;
  detail::ToldOnce told_;
  asio::io_context control_{1};
  server::ProcessorLife life_;
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
  std::mutex end_mutex_;
  std::condition_variable end_changed_;
  std::optional<Clock::time_point> end_at_;  // of the grace period
  bool ended_ = false;
  std::thread thread_;
  /// Where the configuration has an address for them.
  std::optional<server::ServerMetrics> metrics_;
  std::optional<server::OperatorHttp<server::MetricsSource>> metrics_http_;
};

void Server::Impl::warn_of(const std::vector<std::string>& variables) const {
  if (variables.empty()) return;
  std::string names;
  for (const std::string& name : variables) names += (names.empty() ? "" : ", ") + name;
  logger_.log(LogLevel::warning, LineKind::server,
              "settings that are unset were read from the environment (" + names +
                  "), which the next minor version does not do: write Server(service, "
                  "Settings::from_environment()), or from_environment(settings) to keep settings "
                  "of your own");
}

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
      control_, configuration_, *listener, workers_, [this] { tell_cut_streams(); },
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
  logger_.log(LogLevel::info, LineKind::server,
              name() + " listening on " + listener_->address() + " (" +
                  std::to_string(workers_.size()) +
                  (workers_.size() == 1 ? " thread)" : " threads)"));
  logger_.log(LogLevel::info, LineKind::server,
              name() + " holds at most " +
                  std::to_string(configuration_.limits.memory_bytes >> 20) +
                  " MiB in memory for its peers, together with other servers of the process "
                  "(Limits::memory_bytes)");
  if (metrics_) {
    metrics_http_->join(*metrics_);
    logger_.log(LogLevel::info, LineKind::server,
                name() + " shows metrics on " + metrics_http_->address() +
                    " (/metrics, /healthz, /readyz)");
  }
  if (exporter_ != nullptr) {
    logger_.log(LogLevel::info, LineKind::server,
                name() + " sends spans to " + exporter_->peer() + " (" +
                    std::string(to_string(configuration_.tracing->sampler)) + ")");
  }
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
  // At a level that the more talkative of the two shows.
  const std::string text = name() + " logs at " + std::string(to_string(level)) + ", and not at " +
                           std::string(to_string(before)) + " any more (" + std::string(source) +
                           ")";
  if (level > before) logger_.log(LogLevel::warning, LineKind::server, text);
  logger_.set_level(level);
  if (level < before) logger_.log(LogLevel::warning, LineKind::server, text);
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
  } else if (!std::holds_alternative<server::TcpAddress>(configuration_.address)) {
    if (configuration_.transport != nullptr) {
      logger_.log(LogLevel::info, LineKind::server,
                  name() + " stays in clear text on a Unix domain socket");
    }
  } else if (!server::is_loopback(listener_->address())) {
    logger_.log(LogLevel::warning, LineKind::server,
                name() + " listens in clear text on " + listener_->address() +
                    ", which other machines may reach: serve with TLS (--tls-cert, --tls-key; "
                    "extproc/tls.h), or on 127.0.0.1, unless a mesh or the network protects it");
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
  logger_.log(LogLevel::info, LineKind::server, name() + " has ended");
  const std::lock_guard lock(end_mutex_);
  ended_ = true;
  end_changed_.notify_all();
}

void Server::Impl::shutdown(std::chrono::milliseconds grace_period) {
  if (!started_) return;
  {
    const std::lock_guard lock(end_mutex_);
    const auto end_at = Clock::now() + grace_period;
    if (!end_at_ || end_at < *end_at_) end_at_ = end_at;
    end_changed_.notify_all();
  }
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
  if (!ends_within_grace_period()) return false;
  thread_.join();
  return true;
}

bool Server::Impl::ends_within_grace_period() {
  std::unique_lock lock(end_mutex_);
  while (!ended_) {
    if (!end_at_) {
      end_changed_.wait(lock);
    } else if (const auto over = *end_at_ + kTimeToReturn; Clock::now() < over) {
      end_changed_.wait_until(lock, over);
    } else {
      lock.unlock();
      if (tell_running_handlers() != 0) return false;
      lock.lock();
      end_changed_.wait_for(lock, kTimeToReturn);
    }
  }
  return true;
}

void Server::Impl::tell_cut_streams() {
  const std::uint64_t open = stats().streams_open;
  if (open == 0) return;
  logger_.log(LogLevel::warning, LineKind::server,
              name() + ": the grace period is over, and " + std::to_string(open) +
                  (open == 1 ? " stream is" : " streams are") +
                  " ended that had not: a body that still goes through one is cut. Where responses "
                  "take longer, a longer grace period (Settings::grace_period, --grace-period) "
                  "lets them end");
}

std::size_t Server::Impl::tell_running_handlers() {
  std::size_t running = 0;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto of_worker = workers_[i]->running_handlers(kMostNamed, kTimeToAnswer);
    running += of_worker ? of_worker->count : 1;
    if (!of_worker) lines.push_back(name() + ": one that does not let its I/O thread go");
    if (of_worker) lines.insert(lines.end(), of_worker->names.begin(), of_worker->names.end());
  }
  if (running == 0) return 0;
  logger_.log(LogLevel::error, LineKind::server,
              name() + ": the grace period is over, and " + std::to_string(running) +
                  (running == 1 ? " handler has" : " handlers have") + " not returned");
  lines.resize(std::min(lines.size(), kMostNamed));
  for (const std::string& line : lines)
    logger_.log(LogLevel::error, LineKind::server, "still running: " + line);
  return running;
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
