#include "envoy/kit/service_peer.h"

#include <deque>
#include <utility>

#include "envoy/filter_config.h"
#include "extproc/context.h"
#include "testing/local_stream.h"

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

class ServicePeer final : public ProcessorPeer, private LocalStream {
 public:
  ServicePeer(const Service& processor, const EnvoyOptions& options, const FilterConfig& config,
              ServiceReport& report)
      : LocalStream(processor,
                    {.log = [&report](LogLevel level,
                                      std::string_view message) { note(report, level, message); },
                     .chain_header = options.applied_header,
                     .filter = envoy_config::filter_settings(config),
                     .on_violation =
                         [&report](Violation violation) {
                           report.violations.push_back(std::move(violation));
                         }}),
        options_(options),
        config_(config),
        metadata_(call_metadata(options, config)),
        report_(report) {}

  void open(Time /*now*/) override {
    opened_ = true;
    started_ = std::chrono::steady_clock::now();
    begin();
  }

  void send(std::string message, Time /*now*/) override { messages_.push_back(std::move(message)); }

  void close() override {
    // An observer's stream stays open for a while: see finish().
    if (config_.observability_mode) return;
    if (!ended() && after_reply_) finish_blocking();
    messages_.clear();
    events_.clear();
    if (opened_) end(GrpcStatus::cancelled, true);
  }

  std::optional<PeerEvent> next(Time& now, Time limit, bool more) override {
    after_reply_ = false;
    while (true) {
      deliver();
      io().restart();
      io().poll();
      if (!events_.empty()) break;
      if (!messages_.empty() && !paused() && !ended()) continue;
      // Without work of its own the loop has nothing that could wake the handler.
      if (io().stopped()) return std::nullopt;
      if (more && !paused() && waits_for_alarm_alone() && events_.empty()) return std::nullopt;
      if (!events_.empty()) break;
      const auto before = std::chrono::steady_clock::now();
      limit == Time::max() ? io().run_one() : io().run_one_for(limit);
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
    end(GrpcStatus::cancelled, true);
    run_to_the_end();
    loop().blocking.join();
    run_to_the_end();
    if (!over()) {
      note(report_, LogLevel::error,
           "a handler waits for something that never comes, not even when it is cancelled");
    }
  }

 private:
  using LocalStream::finish;

  void run_to_the_end() {
    io().restart();
    while (!over() && io().run_one() > 0) {
    }
  }

  void deliver() {
    while (!paused() && !ended() && !messages_.empty()) {
      const std::string message = std::move(messages_.front());
      messages_.pop_front();
      LocalStream::send(message);
    }
  }

  // When Envoy ends the stream because of an answer, what it had sent behind that is at work: a
  // handler on a thread returns before it could hear of the end, unless it waits.
  void finish_blocking() {
    const auto until = std::chrono::steady_clock::now() + kBlockingGrace;
    while (std::chrono::steady_clock::now() < until) {
      deliver();
      io().restart();
      // A handler's return is posted before it counts as done.
      if (loop().blocking.busy()) {
        io().run_one_for(std::chrono::milliseconds(1));
      } else if (io().poll() == 0) {
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
      io().restart();
      io().poll();
      if (ended() || io().stopped()) return;
      if (!messages_.empty() && !paused()) continue;
      if (io().run_one_until(until) == 0) return;
    }
  }

  void on_answer(const std::string& message) override {
    events_.push_back({.is_reply = true, .bytes = message});
  }
  void on_end(GrpcStatus status, std::string_view message) override {
    events_.push_back({.is_reply = false,
                       .bytes = {},
                       .grpc_status = static_cast<int>(status),
                       .grpc_message = std::string(message)});
  }

  std::string_view peer() const override { return options_.peer; }
  const PeerCertificate* peer_certificate() const override {
    return options_.peer_certificate ? &*options_.peer_certificate : nullptr;
  }
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
  std::chrono::steady_clock::time_point started_;
  bool opened_ = false;
  bool after_reply_ = false;  // nothing has happened since the last one
};

}  // namespace

std::unique_ptr<ProcessorPeer> make_service_peer(const Service& processor,
                                                 const EnvoyOptions& options,
                                                 const FilterConfig& config,
                                                 ServiceReport& report) {
  return std::make_unique<ServicePeer>(processor, options, config, report);
}

}  // namespace extproc::testing::envoy
