#include "extproc/server.h"

#include <algorithm>
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
#include "server/configuration.h"
#include "server/drain.h"
#include "server/environment.h"
#include "server/listener.h"
#include "server/stats.h"
#include "server/worker.h"

namespace extproc {

namespace asio = boost::asio;

namespace {

/// For what is told in the log once, not for each of many that come in a row.
class Seldom {
 public:
  bool now() {
    const auto time = std::chrono::steady_clock::now();
    if (told_at_ && time - *told_at_ < std::chrono::minutes(1)) return false;
    told_at_ = time;
    return true;
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> told_at_;
};

}  // namespace

/// One thread accepts and sees to the graceful end, so that no handler holds these up; the workers
/// do the rest.
class Server::Impl {
 public:
  Impl(Service service, const server::FilledSettings& filled)
      : service_(std::move(service)),
        configuration_(server::resolve(filled.settings, service_.address())),
        logger_(log::make_logger(configuration_.log_level, configuration_.log)),
        blocking_(configuration_.blocking_threads),
        work_(control_.get_executor()) {
    warn_of(filled.variables);
  }

  ~Impl() {
    shutdown(std::chrono::milliseconds::zero());
    join();
  }

  void start();
  void shutdown(std::chrono::milliseconds grace_period);
  void join();
  Stats stats() const;

  const server::Configuration& configuration() const { return configuration_; }
  const std::string& name() const { return service_.name(); }
  const server::Listener& listener() const {
    if (!listener_) throw Error("the server has no address before start()");
    return *listener_;
  }

 private:
  void warn_of(const std::vector<std::string>& variables) const;
  void start_threads();
  void run();
  void distribute(server::AcceptedSocket socket);
  /// With the connection that has had no stream for the longest time; null where each has one.
  server::Worker* idlest() const;
  void make_room();

  const Service service_;
  const server::Configuration configuration_;
  const Logger logger_;
  detail::BlockingPool blocking_;
  asio::io_context control_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<server::Listener> listener_;
  std::vector<std::unique_ptr<server::Worker>> workers_;
  std::unique_ptr<server::Drain> drain_;
  /// Of the thread that accepts.
  Counters counters_;
  Seldom tell_refused_;
  Seldom tell_displaced_;
  std::atomic<bool> started_ = false;
  std::mutex join_mutex_;
  std::thread thread_;
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
  auto listener = std::make_unique<server::Listener>(control_, logger_, configuration_.address);
  for (unsigned i = 0; i < configuration_.threads; ++i) {
    workers_.push_back(
        std::make_unique<server::Worker>(configuration_, service_, logger_, blocking_));
  }
  drain_ = std::make_unique<server::Drain>(control_, configuration_, *listener, workers_,
                                           [this] { work_.reset(); });
  listener->start([this](server::AcceptedSocket socket) { distribute(std::move(socket)); },
                  [this] { make_room(); });
  try {
    start_threads();
  } catch (const std::system_error& error) {
    workers_.clear();
    throw Error(std::string("cannot start a thread: ") + error.what());
  }
  listener_ = std::move(listener);
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
  blocking_.join();
  logger_.log(LogLevel::info, LineKind::server, name() + " has ended");
}

void Server::Impl::distribute(server::AcceptedSocket socket) {
  std::size_t open = 0;
  server::Worker* least = nullptr;
  for (const auto& worker : workers_) {
    open += worker->load();
    if (least == nullptr || worker->load() < least->load()) least = worker.get();
  }
  if (open < configuration_.limits.connections) return least->add(std::move(socket));
  const auto tell = [&](Seldom& seldom, const char* what) {
    if (!seldom.now()) return;
    logger_.log(LogLevel::warning, LineKind::connection,
                what + std::to_string(open) + " are open, as many as Limits::connections allows");
  };
  if (server::Worker* worker = idlest()) {
    tell(tell_displaced_, "idle connections end to make room for new ones: ");
    return worker->replace_idlest(std::move(socket));
  }
  counters_.connections_refused.add();
  tell(tell_refused_, "connections are refused: ");
}

void Server::Impl::make_room() {
  if (server::Worker* worker = idlest()) worker->drop_idlest();
}

server::Worker* Server::Impl::idlest() const {
  const auto found = std::ranges::min_element(
      workers_, {}, [](const auto& worker) { return worker->idle_since(); });
  return (*found)->idle_since() == server::Worker::kNoneIdle ? nullptr : found->get();
}

void Server::Impl::shutdown(std::chrono::milliseconds grace_period) {
  if (!started_) return;
  asio::post(control_, [this, grace_period] { drain_->begin(grace_period); });
}

void Server::Impl::join() {
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
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
  server::add(own, sum);
  return sum;
}

Server::Server(Service service, Settings settings) {
  const auto filled = server::fill_from_environment(std::move(settings), !service.address());
  impl_ = std::make_unique<Impl>(std::move(service), filled);
}
Server::~Server() = default;

void Server::start() { impl_->start(); }
int Server::port() const { return impl_->listener().port(); }
std::string Server::address() const { return impl_->listener().address(); }
const std::string& Server::name() const { return impl_->name(); }
void Server::shutdown() { shutdown(impl_->configuration().grace_period); }
void Server::shutdown(std::chrono::milliseconds grace_period) { impl_->shutdown(grace_period); }
void Server::join() { impl_->join(); }
Stats Server::stats() const { return impl_->stats(); }

}  // namespace extproc
