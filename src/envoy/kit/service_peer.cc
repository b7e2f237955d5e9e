#include "envoy/kit/service_peer.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <utility>

#include "envoy/filter_config.h"
#include "extproc/context.h"
#include "extproc/host.h"
#include "extproc/host_loop.h"
#include "stream/process_stream.h"

namespace extproc::testing::envoy {
namespace {

constexpr std::chrono::milliseconds kBlockingGrace{50};

void note(ServiceReport& report, LogLevel level, std::string_view message) {
  report.log.push_back(std::string(to_string(level)) + ": " + std::string(message));
}

/// What the filter says, and what the test does.
HeaderList call_metadata(const EnvoyOptions& options, const FilterConfig& config) {
  HeaderList metadata = config.grpc_service->initial_metadata;
  metadata.insert(metadata.end(), options.grpc_metadata.begin(), options.grpc_metadata.end());
  return metadata;
}

class ServicePeer final : public ProcessorPeer,
                          private stream::ReplySink,
                          private detail::CallInfo {
 public:
  ServicePeer(const Service& processor, const EnvoyOptions& options, const FilterConfig& config,
              ServiceReport& report)
      : options_(options),
        config_(config),
        metadata_(call_metadata(options, config)),
        report_(report),
        host_(processor,
              {.log = [&report](LogLevel level,
                                std::string_view message) { note(report, level, message); },
               .chain_header = options.applied_header,
               .filter = envoy_config::filter_settings(config),
               .on_violation =
                   [&report](Violation violation) {
                     report.violations.push_back(std::move(violation));
                   }},
              &loop_.events) {}

  void open(Time /*now*/) override {
    opened_ = true;
    started_ = std::chrono::steady_clock::now();
    stream_.begin(*this);
  }

  void send(std::string message, Time /*now*/) override { messages_.push_back(std::move(message)); }

  void close() override {
    // An observer's stream stays open for a while: see finish().
    if (config_.observability_mode) return;
    if (!ended_ && after_reply_) finish_blocking();
    messages_.clear();
    events_.clear();
    if (opened_) end_stream(GrpcStatus::cancelled, true);
  }

  std::optional<PeerEvent> next(Time& now, Time limit) override {
    after_reply_ = false;
    while (true) {
      deliver();
      io_.restart();
      io_.poll();
      if (!events_.empty()) break;
      if (!messages_.empty() && !paused_ && !ended_) continue;
      // Without work of its own the loop has nothing that could wake the handler.
      if (io_.stopped()) return std::nullopt;
      const auto before = std::chrono::steady_clock::now();
      limit == Time::max() ? io_.run_one() : io_.run_one_for(limit);
      const Time waited = std::chrono::steady_clock::now() - before;
      now += waited;
      if (limit != Time::max()) limit = std::max(limit - waited, Time{0});
      if (events_.empty() && limit == Time{0}) return std::nullopt;
    }
    PeerEvent event = std::move(events_.front());
    events_.pop_front();
    after_reply_ = event.is_reply;
    return event;
  }

  void finish() override {
    if (!opened_) return;
    if (config_.observability_mode) deliver_late();
    if (!ended_) end_stream(GrpcStatus::cancelled, true);
    io_.restart();
    while (!released_ && io_.run_one() > 0) {
    }
    loop_.blocking.join();
    io_.restart();
    while (!released_ && io_.run_one() > 0) {
    }
    if (!released_) {
      note(report_, LogLevel::error,
           "a handler waits for something that never comes, not even when it is cancelled");
    }
  }

 private:
  void deliver() {
    while (!paused_ && !ended_ && !messages_.empty()) {
      const std::string message = std::move(messages_.front());
      messages_.pop_front();
      stream_.on_message(message);
    }
  }

  // When Envoy ends the stream because of an answer, what it had sent behind that is at work: a
  // handler on a thread returns before it could hear of the end, unless it waits.
  void finish_blocking() {
    const auto until = std::chrono::steady_clock::now() + kBlockingGrace;
    while (std::chrono::steady_clock::now() < until) {
      deliver();
      io_.restart();
      // A handler's return is posted before it counts as done.
      if (loop_.blocking.busy()) {
        io_.run_one_for(std::chrono::milliseconds(1));
      } else if (io_.poll() == 0) {
        return;
      }
    }
  }

  // What Envoy had sent arrives, and is handled, until it closes the stream.
  void deliver_late() {
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                           *config_.deferred_close_timeout);
    while (true) {
      deliver();
      io_.restart();
      io_.poll();
      if (ended_ || io_.stopped()) return;
      if (!messages_.empty() && !paused_) continue;
      if (io_.run_one_until(until) == 0) return;
    }
  }

  void end_stream(GrpcStatus status, bool cancelled) {
    if (std::exchange(ended_, true)) return;
    if (stream_.on_closed(status, cancelled)) released_ = true;
  }

  std::string& begin_message() override {
    answer_.clear();
    return answer_;
  }
  void end_message() override {
    if (!ended_) events_.push_back({.is_reply = true, .bytes = answer_});
  }
  void finish(GrpcStatus status, std::string_view message) override {
    if (std::exchange(ended_, true)) return;
    events_.push_back({.is_reply = false,
                       .bytes = {},
                       .grpc_status = static_cast<int>(status),
                       .grpc_message = std::string(message)});
    // Not from inside of the stream, which called this.
    boost::asio::post(io_, [this, status] {
      if (stream_.on_closed(status, false)) released_ = true;
    });
  }
  bool congested() const override { return false; }
  void wake_at(std::optional<std::chrono::steady_clock::time_point> time) override {
    timer_.cancel();
    if (!time) return;
    timer_.expires_at(*time);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && !released_) stream_.on_wake();
    });
  }
  void pause() override { paused_ = true; }
  void resume() override { paused_ = false; }
  void released() override { released_ = true; }

  std::string_view peer() const override { return options_.peer; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override {
    const auto& timeout = *config_.grpc_service->timeout;
    if (!timeout) return std::nullopt;
    return started_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(*timeout);
  }
  std::size_t metadata_size() const override { return metadata_.size(); }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t index) const override {
    return metadata_[index];
  }

  const EnvoyOptions& options_;
  const FilterConfig& config_;
  const HeaderList metadata_;
  ServiceReport& report_;
  std::deque<std::string> messages_;
  std::deque<PeerEvent> events_;
  std::string answer_;
  std::chrono::steady_clock::time_point started_;
  bool opened_ = false;
  bool after_reply_ = false;  // nothing has happened since the last one
  bool paused_ = false;
  bool ended_ = false;
  bool released_ = false;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  host::Loop loop_{io_.get_executor(), 2};
  host::Host host_;
  stream::Streams streams_{host_};
  stream::ProcessStream stream_{streams_, *this};
};

}  // namespace

std::unique_ptr<ProcessorPeer> make_service_peer(const Service& processor,
                                                 const EnvoyOptions& options,
                                                 const FilterConfig& config,
                                                 ServiceReport& report) {
  return std::make_unique<ServicePeer>(processor, options, config, report);
}

}  // namespace extproc::testing::envoy
