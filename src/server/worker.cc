#include "server/worker.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <future>
#include <memory>
#include <utility>

#include "base/access.h"
#include "rules/needs.h"
#include "server/descriptors.h"
#include "server/tick_clock.h"
#include "trace/stream_tracer.h"

namespace extproc::server {
namespace {

namespace asio = boost::asio;

/// The time that the last answers have to leave when streams are ended by force.
constexpr std::chrono::milliseconds kLastFlush{200};
/// Connections that may be about to close to make room for others: so many may be open over the
/// limit.
constexpr std::size_t kMostMakingRoom = 64;
constexpr std::string_view kShutdownMessage = "server is shutting down";

/// How long phases take is told to an observer, and to the log at DEBUG; else only what takes very
/// long is of interest.
bool ticks_are_enough(const Configuration& configuration, const detail::Dispatcher& dispatcher,
                      const Logger& logger) {
  return configuration.observer == nullptr && configuration.observers.empty() &&
         !dispatcher.suspends() && !dispatcher.traits().completes &&
         !logger.enabled(LogLevel::debug) && ticks_within(configuration.slow_handler / 2);
}

/// What all of them need, one by one: that two want a body in different modes is no affair of the
/// server's, which takes it as the filter sends it.
Needs needs_of(const detail::Dispatcher& dispatcher) {
  const auto links = dispatcher.links();
  if (links.empty()) return dispatcher.needs();
  Needs all = links.front()->needs();
  for (const auto& link : links.subspan(1)) all = rules::together(std::move(all), link->needs());
  return all;
}

host::Settings host_settings(const Configuration& configuration,
                             const detail::Dispatcher& dispatcher, const Logger& logger) {
  return {
      .observer = configuration.observer,
      .redacted_headers = configuration.redacted_headers,
      .observers = configuration.observers,
      .chain_header = configuration.chain_header,
      .slow_handler = configuration.slow_handler,
      .filter = rules::filled_in(configuration.filter, needs_of(dispatcher)),
      .early_end = configuration.early_end,
      .automatic_mode_override = configuration.automatic_mode_override,
      // How old streams are.
      .measures = configuration.server_admin.has_value(),
      .held_bytes = configuration.limits.held_bytes_per_stream,
      .held_time = configuration.limits.held_time,
      .now = ticks_are_enough(configuration, dispatcher, logger) ? &tick_time : &host::Clock::now};
}

exchange::Watchers watchers(const Configuration& configuration, exchange::Tracer* tracer) {
  return {.metrics = configuration.metrics.has_value(),
          .sample = configuration.metrics_sample,
          .tracer = tracer};
}

/// Calls a callback at most once.
void tell(std::function<void()>& callback) {
  if (callback) std::exchange(callback, nullptr)();
}

}  // namespace

Worker::Worker(const Configuration& configuration, const Service& service, const Logger& logger,
               detail::BlockingPool& blocking, detail::ToldOnce& told,
               const std::shared_ptr<trace::Exporter>& exporter)
    : logger_(logger),
      limits_(configuration.limits),
      threads_(configuration.threads),
      work_(io_.get_executor()),
      loop_{io_.get_executor(), blocking},
      tick_(io_),
      loop_lag_(io_),
      deadlines_([this] { start_ticking(); }),
      tracer_(exporter == nullptr ? nullptr
                                  : std::make_unique<trace::StreamTracer>(
                                        exporter, *configuration.tracing, service.name())),
      host_(detail::HostAccess::make_host(
          service, host_settings(configuration, *detail::Access::dispatcher(service), logger),
          &loop_, logger, watchers(configuration, tracer_.get()))),
      counters_(detail::HostAccess::counters(host_)),
      memory_(counters_.memory_bytes, configuration.limits.memory_bytes),
      buffers_(&memory_),
      process_(host_, deadlines_, memory_),
      health_({ProcessService::kName, service.name()}),
      services_{&process_, &health_},
      last_flush_(io_),
      environment_{.owner = *this,
                   .limits = limits_,
                   .logger = logger,
                   .told = told,
                   .counters = counters_,
                   .services = services_,
                   .deadlines = deadlines_,
                   .buffers = buffers_,
                   .transport = is_secure(configuration) ? configuration.transport.get() : nullptr,
                   .output = {}},
      handshakes_(io_, handshakes_at_once()) {
  if (configuration.reflection) {
    services_.push_back(&reflection_.emplace(descriptors()));
    environment_.services = services_;
  }
  if (configuration.metrics) loop_lag_.start();
  ProcessMemory::instance().add(*this);
}

Worker::~Worker() {
  ProcessMemory::instance().remove(*this);
  if (thread_.joinable()) join();
  // What is left in io_ keeps a connection alive for longer than what it uses.
  seen_ = empty_ = nullptr;
  for (const auto& connection : open_connections()) connection->close();
  memory_.tell();
}

void Worker::survey(std::shared_ptr<Survey> survey) {
  asio::post(io_, [this, survey = std::move(survey)] {
    if (const auto connection = largest()) survey->tell(*this, connection->held_bytes());
  });
}

Worker::ConnectionPtr Worker::largest() const {
  const auto found = std::ranges::max_element(connections_, {},
                                              [](const auto& each) { return each->held_bytes(); });
  return found == connections_.end() ? nullptr : *found;
}

void Worker::shed(std::size_t least) {
  // Whether or not it is ever run.
  const std::shared_ptr<void> end(
      nullptr, [limit = memory_.limit()](void*) { ProcessMemory::instance().end_shedding(limit); });
  asio::post(io_, [this, least, end] {
    const auto connection = largest();
    if (connection == nullptr || connection->held_bytes() < least) return;
    counters_.connections_shed.add();
    connection->shed();
    memory_.tell();
  });
}

void Worker::start(const std::string& thread_name) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), thread_name.c_str());
}

void Worker::run() {
  survive([this] { io_.run(); });
  io_.restart();
  while (process_.calls() > 0) survive([this] { io_.run_one(); });
  ended_ = true;
}

std::optional<RunningHandlers> Worker::running_handlers(std::size_t most,
                                                        std::chrono::milliseconds time) {
  if (ended_) return RunningHandlers{};
  auto answer = std::make_shared<std::promise<RunningHandlers>>();
  auto asked = answer->get_future();
  asio::post(io_, [this, most, answer = std::move(answer)] {
    RunningHandlers running;
    detail::HostAccess::for_each_outlived(
        host_, [&](const std::string& name, const exchange::ProcessorExchange& exchange) {
          if (++running.count > most) return;
          running.names.push_back(name + ": " + std::string(to_string(exchange.running_phase())) +
                                  " of request " + std::string(exchange.request().id()));
        });
    answer->set_value(std::move(running));
  });
  if (asked.wait_for(time) == std::future_status::ready) return asked.get();
  if (ended_) return RunningHandlers{};
  return std::nullopt;
}

std::future<OpenStreams> Worker::open_streams(std::size_t most) {
  auto answer = std::make_shared<std::promise<OpenStreams>>();
  auto asked = answer->get_future();
  if (ended_) {
    answer->set_value({});
  } else {
    asio::post(io_, [this, most, answer = std::move(answer)] {
      answer->set_value(server::open_streams(connections_, host_, most));
    });
  }
  return asked;
}

/// The library's own handlers do not throw; what a user posts to the loop may, and must not end the
/// thread.
template <class Step>
void Worker::survive(Step step) {
  while (true) {
    try {
      step();
      return;
    } catch (const std::exception& error) {
      logger_.log(LogLevel::error, LineKind::server,
                  std::string("an exception escaped on an I/O thread: ") + error.what());
    } catch (...) {
      logger_.log(LogLevel::error, LineKind::server, "an exception escaped on an I/O thread");
    }
  }
}

void Worker::add(AcceptedSocket socket) {
  load_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, socket = std::move(socket)]() mutable { open(std::move(socket)); });
}

void Worker::replace_idlest(AcceptedSocket socket) {
  load_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, socket = std::move(socket)]() mutable {
    if (end_idlest()) return open(std::move(socket));
    counters_.connections_refused.add();
    load_.fetch_sub(1, std::memory_order_relaxed);
    tell_if_empty();
  });
}

void Worker::drop_idlest() {
  asio::post(io_, [this] { end_idlest(); });
}

bool Worker::end_idlest() {
  if (idle_.empty() || making_room_ >= kMostMakingRoom) return false;
  counters_.connections_displaced.add();
  ++making_room_;
  const ConnectionPtr idlest(&idle_.front());
  idlest->make_room();
  return true;
}

void Worker::open(AcceptedSocket accepted) {
  Socket socket(io_.get_executor());
  boost::system::error_code error;
  socket.assign(accepted.protocol, accepted.fd.get(), error);
  if (error) {
    logger_.log(LogLevel::error, LineKind::connection,
                "connection from " + accepted.peer + ": " + error.message());
    load_.fetch_sub(1, std::memory_order_relaxed);
    return tell_if_empty();
  }
  accepted.fd.release();
  counters_.connections_accepted.add();
  counters_.connections_open.add();
  const auto connection = ConnectionPtr(
      new SocketConnection(environment_, std::move(socket), std::move(accepted.peer)));
  connections_.insert(connection);
  connection->start();
}

std::size_t Worker::handshakes_at_once() const {
  return std::max(limits_.handshakes / threads_, 1U);
}

void Worker::set_limits(const Limits& limits) {
  asio::post(io_, [this, limits] {
    limits_ = limits;
    environment_.look_interval = ConnectionEnvironment::look_interval_of(limits_);
    memory_.set_limit(limits_.memory_bytes);
    handshakes_.set_most(handshakes_at_once());
    host::Settings& settings = detail::HostAccess::settings(host_);
    settings.held_bytes = limits_.held_bytes_per_stream;
    settings.held_time = limits_.held_time;
    memory_.tell();
    for (const auto& connection : open_connections()) connection->look_anew();
  });
}

void Worker::set_serving(bool serving) {
  asio::post(io_, [this, serving] { health_.set_serving(serving); });
}

void Worker::begin_drain(std::function<void()> seen) {
  asio::post(io_, [this, seen = std::move(seen)]() mutable {
    seen_ = std::move(seen);
    health_.set_serving(false);
    const auto connections = open_connections();
    for (const auto& connection : connections) {
      if (!connection->shutdown_seen() && !connection->in_handshake())
        unseen_.insert(connection.get());
    }
    for (const auto& connection : connections) connection->begin_shutdown();
    tell_if_seen();
  });
}

void Worker::finish_drain(std::function<void()> empty) {
  asio::post(io_, [this, empty = std::move(empty)]() mutable {
    empty_ = std::move(empty);
    health_.end_watches();
    if (reflection_) reflection_->end_streams();
    for (const auto& connection : open_connections()) connection->finish_shutdown();
    tell_if_empty();
  });
}

void Worker::end_streams() {
  asio::post(io_, [this] {
    for (const auto& connection : open_connections()) connection->end_all(kShutdownMessage);
    last_flush_.expires_after(kLastFlush);
    last_flush_.async_wait([this](const boost::system::error_code&) {
      for (const auto& connection : open_connections()) connection->close();
    });
  });
}

void Worker::join() {
  asio::post(io_, [this] { io_.stop(); });
  thread_.join();
}

std::vector<Worker::ConnectionPtr> Worker::open_connections() const {
  return {connections_.begin(), connections_.end()};
}

void Worker::start_ticking() {
  if (ticking_) return;
  ticking_ = true;
  tick_.expires_after(grpc::DeadlineWheel::kTick);
  tick();
}

void Worker::tick() {
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    deadlines_.expire(grpc::Clock::now());
    ticking_ = !deadlines_.empty();
    if (!ticking_) return;
    tick_.expires_after(grpc::DeadlineWheel::kTick);
    tick();
  });
}

void Worker::on_output(SocketConnection& connection) {
  // Not at once: more may follow in the same event, for one write of all.
  if (to_flush_.empty()) asio::post(io_, [this] { flush_connections(); });
  to_flush_.emplace_back(&connection);
}

void Worker::flush_connections() {
  flushing_.swap(to_flush_);
  for (const auto& connection : flushing_) connection->flush();
  flushing_.clear();
}

void Worker::on_idle(SocketConnection& connection, bool idle) {
  connection.IdleHook::unlink();
  if (idle) idle_.push_back(connection);
  idle_since_.store(
      idle_.empty() ? kNoneIdle : idle_.front().last_read().time_since_epoch().count(),
      std::memory_order_relaxed);
}

void Worker::on_handshake(SocketConnection& connection, bool under_way) {
  under_way ? handshakes_.begin(connection) : handshakes_.end(connection);
}

void Worker::on_handshake_bytes(SocketConnection& connection) { handshakes_.queue(connection); }

void Worker::on_shutdown_seen(SocketConnection& connection) {
  unseen_.erase(&connection);
  tell_if_seen();
}

void Worker::on_closed(SocketConnection& connection) {
  // First what counts against the limit: whoever sees one less open may open one.
  load_.fetch_sub(1, std::memory_order_relaxed);
  counters_.connections_open.subtract();
  if (connection.makes_room()) --making_room_;
  unseen_.erase(&connection);
  connections_.erase(ConnectionPtr(&connection));
  tell_if_seen();
  tell_if_empty();
}

void Worker::tell_if_seen() {
  if (unseen_.empty()) tell(seen_);
}

void Worker::tell_if_empty() {
  if (connections_.empty()) tell(empty_);
}

}  // namespace extproc::server
