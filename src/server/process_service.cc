#include "server/process_service.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extproc/context.h"
#include "extproc/host.h"
#include "extproc/status.h"
#include "host/access.h"
#include "stream/process_stream.h"
#include "stream/reply_sink.h"

namespace extproc::server {
namespace {

constexpr std::string_view kProcessPath = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";
constexpr std::size_t kSpareCalls = 4096;

// The status of a stream that did not end itself.
GrpcStatus status_of(grpc::CloseReason reason) {
  switch (reason) {
    case grpc::CloseReason::finished:
      return GrpcStatus::ok;
    case grpc::CloseReason::deadline_exceeded:
      return GrpcStatus::deadline_exceeded;
    case grpc::CloseReason::malformed:
      return GrpcStatus::internal;
    case grpc::CloseReason::over_limit:
      return GrpcStatus::resource_exhausted;
    case grpc::CloseReason::shutdown:
      return GrpcStatus::unavailable;
    case grpc::CloseReason::reset:
    case grpc::CloseReason::connection_lost:
      return GrpcStatus::cancelled;
  }
  return GrpcStatus::unknown;
}

}  // namespace

struct ProcessService::Pool {
  stream::Streams streams;
  grpc::DeadlineWheel& deadlines;
  /// Of what calls keep whose connection is gone.
  MemoryAccount& memory;
  /// Its calls tell the log what comes and is answered.
  bool tells;
  /// None once another pool has taken its place.
  std::size_t most_spare = kSpareCalls;
  std::vector<std::unique_ptr<ProcessCall>> spare{};
  std::size_t in_use = 0;
};

/// One call, from the transport's start to the last handler's return; then it goes back to the
/// pool.
class ProcessService::ProcessCall final : public grpc::CallHandler,
                                          private stream::ReplySink,
                                          private detail::CallInfo {
 public:
  explicit ProcessCall(Pool& pool) : pool_(pool), stream_(pool.streams, *this) {}

  void begin(grpc::Call& call) {
    call_ = &call;
    if (pool_.streams.host.waits()) {
      if (waiting_ == nullptr) waiting_ = std::make_unique<Waiting>(stream_);
      waiting_->peer = call.peer();
      waiting_->peer_certificate = call.peer_certificate();
      waiting_->deadline = call.deadline();
      waiting_->metadata = call.metadata();
    }
    stream_.begin(*this);
  }

  const host::Exchange& exchange() const { return stream_.exchange(); }

  void on_message(std::string_view message) noexcept override { stream_.on_message(message); }
  void on_half_close() noexcept override { stream_.on_half_close(); }
  void on_writable() noexcept override { stream_.on_writable(); }

  void on_closed(grpc::CloseReason reason) noexcept override {
    if (waiting_ != nullptr) grpc::DeadlineWheel::remove(*waiting_);
    if (kept_ != 0) {
      // A handler that still runs keeps it, and not its connection.
      call_->kept(-kept_);
      pool_.memory.add(kept_);
    }
    const bool over_limit = reason == grpc::CloseReason::over_limit;
    const std::string_view limit = over_limit ? call_->limit() : std::string_view();
    closing_ = std::exchange(call_, nullptr);
    const bool cancelled =
        reason == grpc::CloseReason::reset || reason == grpc::CloseReason::connection_lost;
    const bool over = stream_.on_closed(status_of(reason), cancelled, limit);
    closing_ = nullptr;
    if (over) released();
  }

 private:
  /// What only a call needs whose handlers can wait: they may outlive the call and its connection,
  /// and run on another thread, where what they are told of the call is read here alone.
  struct Waiting final : grpc::DeadlineWheel::Entry {
    explicit Waiting(stream::ProcessStream& its_stream) : stream(its_stream) {}
    void on_deadline() noexcept override { stream.on_wake(); }

    stream::ProcessStream& stream;
    std::string peer;
    std::shared_ptr<const PeerCertificate> peer_certificate;
    std::optional<grpc::Clock::time_point> deadline;
    grpc::Metadata metadata;
  };

  // Nothing is asked of the transport after the call is over: the stream knows that it is closed.
  std::string& begin_message() override { return call_->begin_message(); }
  void end_message() override { call_->end_message(); }
  void end_message_with(std::string&, std::string tail) override {
    call_->end_message_with(std::move(tail));
  }
  void finish(GrpcStatus status, std::string_view message) override {
    if (call_ != nullptr) call_->finish(status, message);
  }
  void kept(std::ptrdiff_t bytes) override {
    kept_ += bytes;
    call_ != nullptr ? call_->kept(bytes) : pool_.memory.add(bytes);
  }
  bool congested() const override { return call_ != nullptr && call_->congested(); }
  void wake_at(std::optional<std::chrono::steady_clock::time_point> time) override {
    time ? pool_.deadlines.add(*waiting_, *time) : grpc::DeadlineWheel::remove(*waiting_);
  }
  void pause() override {
    if (call_ != nullptr) call_->pause();
  }
  void resume() override {
    if (call_ != nullptr) call_->resume();
  }

  void released() override {
    if (waiting_ != nullptr) {
      waiting_->metadata = grpc::Metadata{};
      waiting_->peer_certificate.reset();
    }
    --pool_.in_use;
    // The pool owns what is not in use; who is in use owns itself.
    std::unique_ptr<ProcessCall> self(this);
    if (pool_.spare.size() < pool_.most_spare) pool_.spare.push_back(std::move(self));
  }

  std::string_view peer() const override {
    if (waiting_ != nullptr) return waiting_->peer;
    return told_of() != nullptr ? told_of()->peer() : std::string_view();
  }
  const PeerCertificate* peer_certificate() const override {
    if (waiting_ != nullptr) return waiting_->peer_certificate.get();
    return told_of() != nullptr ? told_of()->peer_certificate().get() : nullptr;
  }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override {
    if (waiting_ != nullptr) return waiting_->deadline;
    return told_of() != nullptr ? told_of()->deadline() : std::nullopt;
  }
  std::size_t metadata_size() const override { return metadata() ? metadata()->size() : 0; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t index) const override {
    return metadata()->at(index);
  }
  bool may_have_trace() const override { return metadata() && metadata()->has_trace(); }
  const grpc::Metadata* metadata() const {
    if (waiting_ != nullptr) return &waiting_->metadata;
    return told_of() != nullptr ? &told_of()->metadata() : nullptr;
  }
  /// What is told of the call, also at its end.
  const grpc::Call* told_of() const { return call_ != nullptr ? call_ : closing_; }

  Pool& pool_;
  grpc::Call* call_ = nullptr;
  const grpc::Call* closing_ = nullptr;  // within on_closed(), where it can do nothing any more
  std::ptrdiff_t kept_ = 0;
  std::unique_ptr<Waiting> waiting_;
  stream::ProcessStream stream_;
};

ProcessService::ProcessService(host::Host& host, grpc::DeadlineWheel& deadlines,
                               MemoryAccount& memory)
    : pool_(new Pool{stream::Streams{host}, deadlines, memory,
                     detail::HostAccess::tells_of_exchanges(host)}) {}
ProcessService::~ProcessService() = default;

// The level of the log has changed: calls that were made for the other one are not used again.
void ProcessService::renew_pool() {
  std::erase_if(former_, [](const auto& pool) { return pool->in_use == 0; });
  pool_->most_spare = 0;
  pool_->spare.clear();
  Pool& now = *pool_;
  former_.push_back(std::move(pool_));
  pool_.reset(new Pool{stream::Streams{now.streams.host}, now.deadlines, now.memory, !now.tells});
}

grpc::CallHandler* ProcessService::start(std::string_view path, grpc::Call& call) {
  if (path != kProcessPath) return nullptr;
  if (detail::HostAccess::tells_of_exchanges(pool_->streams.host) != pool_->tells) renew_pool();
  std::unique_ptr<ProcessCall> started;
  if (pool_->spare.empty()) {
    started = std::make_unique<ProcessCall>(*pool_);
  } else {
    started = std::move(pool_->spare.back());
    pool_->spare.pop_back();
  }
  ++pool_->in_use;
  started->begin(call);
  return started.release();
}

const host::Exchange* ProcessService::exchange_of(const grpc::CallHandler& call) {
  const auto* its = dynamic_cast<const ProcessCall*>(&call);
  return its == nullptr ? nullptr : &its->exchange();
}

std::size_t ProcessService::calls() const {
  std::size_t calls = pool_->in_use;
  for (const auto& pool : former_) calls += pool->in_use;
  return calls;
}

}  // namespace extproc::server
