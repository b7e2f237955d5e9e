#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/counters.h"
#include "base/logger.h"
#include "extproc/detail/event_loop.h"
#include "extproc/host.h"
#include "extproc/service.h"
#include "grpc/buffer_pool.h"
#include "grpc/deadline_wheel.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "host/access.h"
#include "server/configuration.h"
#include "server/handshakes.h"
#include "server/loop_lag.h"
#include "server/open_streams.h"
#include "server/process_memory.h"
#include "server/process_service.h"
#include "server/socket.h"
#include "server/socket_connection.h"

namespace extproc::trace {
class Exporter;
class StreamTracer;
}  // namespace extproc::trace

namespace extproc::server {

/// Handlers that have not returned though their streams are over.
struct RunningHandlers {
  std::size_t count = 0;
  /// "processor: phase of request id", of some.
  std::vector<std::string> names{};
};

/// One I/O thread and all that belongs to it: its connections, their streams, its services. The
/// public members may be called from any thread, and are carried out on its own in the order of the
/// calls.
class Worker final : private ConnectionOwner, private MemoryHolder {
 public:
  /// Everything referred to must outlive it. `exporter`: null where there are no traces.
  Worker(const Configuration& configuration, const Service& service, const Logger& logger,
         detail::BlockingPool& blocking, detail::ToldOnce& told,
         const std::shared_ptr<trace::Exporter>& exporter);
  ~Worker();

  /// Throws std::system_error when there is no thread to be had.
  void start(const std::string& thread_name);

  void add(AcceptedSocket socket);
  /// The same in place of a connection that has no stream, the one that has had none for the
  /// longest time. Where there is none by then the new one is closed.
  void replace_idlest(AcceptedSocket socket);
  /// Ends such a connection, if there is one.
  void drop_idlest();
  /// When something came on it last, as a time since the clock's epoch; kNoneIdle without one.
  grpc::Clock::rep idle_since() const { return idle_since_.load(std::memory_order_relaxed); }
  static constexpr grpc::Clock::rep kNoneIdle = std::numeric_limits<grpc::Clock::rep>::max();
  /// Connections given to it and not closed yet.
  std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  const Counters& counters() const { return detail::HostAccess::counters(host_); }
  /// Of each processor of a chain.
  std::span<const LinkCounters> link_counters() const { return detail::HostAccess::links(host_); }

  /// How late it came to what was due, the longest of the last seconds; 0 without
  /// Configuration::metrics.
  std::chrono::nanoseconds loop_lag() const { return loop_lag_.longest(); }
  const host::Settings& settings() const { return detail::HostAccess::settings(host_); }
  /// See detail::HostAccess.
  template <class Visit>
  void for_each_cells(Visit visit) const {
    detail::HostAccess::for_each_cells(host_, visit);
  }

  /// Limits::memory_bytes, as it is now.
  std::size_t memory_limit() const { return memory_.limit(); }
  /// In place of those of the configuration.
  void set_limits(const Limits& limits);
  /// What health tells, SERVING at first; not after begin_drain().
  void set_serving(bool serving);
  /// Health turns NOT_SERVING, and the peers are told that their connections will end. Then `seen`
  /// is called, on the worker's thread, once all of them know. Connections that are added later are
  /// served without notice.
  void begin_drain(std::function<void()> seen);
  /// Each connection ends after its last stream. Then `empty` is called, on the worker's thread. No
  /// more are added.
  void finish_drain(std::function<void()> empty);
  /// Streams end now, and soon after their connections.
  void end_streams();
  /// Of the handlers that have not returned though their streams are over: how many there are, and
  /// up to `most` by name. Nothing where its thread does not answer within `time`, since a handler
  /// does not return there.
  std::optional<RunningHandlers> running_handlers(std::size_t most, std::chrono::milliseconds time);
  /// Its streams, at most `most` of them by name, told when the thread has the time: not while a
  /// handler holds it up. It must outlive the answer.
  std::future<OpenStreams> open_streams(std::size_t most);
  /// Ends the thread, once the handlers have returned whose streams are gone, and waits for it.
  /// After finish_drain().
  void join();

 private:
  using ConnectionPtr = boost::intrusive_ptr<SocketConnection>;

  /// What the thread holds, told to ProcessMemory.
  class Account final : public MemoryAccount {
   public:
    Account(Counter& counted, std::size_t limit) : MemoryAccount(counted), limit_(limit) {}
    /// Any thread.
    std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }
    void set_limit(std::size_t limit) { limit_.store(limit, std::memory_order_relaxed); }

   private:
    bool on_change(std::ptrdiff_t bytes) override {
      return ProcessMemory::instance().change(bytes, limit());
    }
    std::atomic<std::size_t> limit_;
  };

  void run();
  template <class Step>
  void survive(Step step);
  std::size_t handshakes_at_once() const;
  void open(AcceptedSocket socket);
  bool end_idlest();
  /// Copied, because a connection may close, and so leave the set, in whatever is done with it.
  std::vector<ConnectionPtr> open_connections() const;
  void start_ticking();
  void tick();
  void flush_connections();
  void tell_if_seen();
  void tell_if_empty();

  // For ProcessMemory, on any thread.
  void survey(std::shared_ptr<Survey> survey) override;
  void shed(std::size_t least) override;
  ConnectionPtr largest() const;

  void on_output(SocketConnection& connection) override;
  void on_idle(SocketConnection& connection, bool idle) override;
  void on_handshake(SocketConnection& connection, bool under_way) override;
  void on_handshake_bytes(SocketConnection& connection) override;
  void on_shutdown_seen(SocketConnection& connection) override;
  void on_closed(SocketConnection& connection) override;

  const Logger& logger_;
  /// Of its connections, on its thread.
  Limits limits_;
  const unsigned threads_;
  // First, because whatever is left in it may refer to all the others, and is destroyed with it,
  // last.
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<std::size_t> load_{0};
  std::atomic<grpc::Clock::rep> idle_since_{kNoneIdle};
  std::atomic<bool> ended_{false};

  detail::EventLoop loop_;
  boost::asio::steady_timer tick_;
  bool ticking_ = false;
  LoopLag loop_lag_;
  grpc::DeadlineWheel deadlines_;
  const std::unique_ptr<trace::StreamTracer> tracer_;
  host::Host host_;
  Counters& counters_;
  Account memory_;
  grpc::BufferPool buffers_;
  ProcessService process_;
  grpc::HealthService health_;
  std::optional<grpc::ReflectionService> reflection_;
  std::vector<grpc::GrpcService*> services_;

  boost::asio::steady_timer last_flush_;

  ConnectionEnvironment environment_;
  std::set<ConnectionPtr> connections_;
  /// Those without streams, the one first that has had none for the longest time.
  boost::intrusive::list<SocketConnection, boost::intrusive::constant_time_size<false>> idle_;
  Handshakes handshakes_;
  /// That were ended to make room, and are not closed yet.
  std::size_t making_room_ = 0;
  std::vector<ConnectionPtr> to_flush_;
  std::vector<ConnectionPtr> flushing_;
  /// Connections whose peers do not know yet that they will end.
  std::set<const SocketConnection*> unseen_;
  std::function<void()> seen_;
  std::function<void()> empty_;

  std::thread thread_;
};

}  // namespace extproc::server
