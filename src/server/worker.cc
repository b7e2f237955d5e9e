#include "server/worker.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <future>
#include <memory>
#include <utility>

#include "base/access.h"
#include "host/needs_of.h"
#include "rules/needs.h"
#include "server/descriptors.h"
#include "server/tick_clock.h"
#include "trace/stream_tracer.h"

namespace extproc::server {
namespace {

namespace asio = boost::asio;

/// How long phases take is told to an observer, and to the log at DEBUG; else only what takes very
/// long is of interest.
bool ticks_are_enough(const Configuration& configuration, const detail::Dispatcher& dispatcher,
                      const Logger& logger) {
  return configuration.observer == nullptr && configuration.observers.empty() &&
         !dispatcher.suspends() && !dispatcher.traits().completes &&
         !logger.enabled(LogLevel::debug) && ticks_within(configuration.slow_handler / 2);
}

host::Settings host_settings(const Configuration& configuration,
                             const detail::Dispatcher& dispatcher, const Logger& logger) {
  return {
      .observer = configuration.observer,
      .redacted_headers = configuration.redacted_headers,
      .observers = configuration.observers,
      .chain_header = configuration.chain_header,
      .slow_handler = configuration.slow_handler,
      .filter = rules::filled_in(configuration.filter, host::needs_of(dispatcher)),
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

// At DEBUG the log tells how long phases took. What began by the other clock ends by this one, a
// tick off at most.
void Worker::follow_log_level() {
  if (!logger_.enabled(LogLevel::debug)) return;
  asio::post(io_, [this] { detail::HostAccess::settings(host_).now = &host::Clock::now; });
}

void Worker::set_serving(bool serving) {
  asio::post(io_, [this, serving] { health_.set_serving(serving); });
}

void Worker::join() {
  asio::post(io_, [this] { io_.stop(); });
  thread_.join();
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

}  // namespace extproc::server
