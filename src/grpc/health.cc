#include "grpc/health.h"

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <string>
#include <utility>

#include "grpc/health_messages.h"

namespace extproc::grpc {
namespace {

void send(Call& call, ServingStatus status) {
  write_health_response(call.begin_message(), status);
  call.end_message();
}

/// A call that is told of each change.
struct Watcher
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  explicit Watcher(Call& the_call) : call(the_call) {}
  Call& call;
  bool known = false;  ///< it asked for a name whose status can change
};

}  // namespace

class HealthService::Impl {
 public:
  explicit Impl(std::vector<std::string_view> names) : names_(names.begin(), names.end()) {}

  CallHandler* start(std::string_view path, Call& call);
  void set_serving(bool serving);
  void end_watches();

 private:
  class Check;
  class Watch;

  bool knows(std::string_view name) const {
    return name.empty() || std::find(names_.begin(), names_.end(), name) != names_.end();
  }
  ServingStatus status() const {
    return serving_ ? ServingStatus::serving : ServingStatus::not_serving;
  }

  std::vector<std::string> names_;
  bool serving_ = true;
  bool ending_ = false;
  boost::intrusive::list<Watcher, boost::intrusive::constant_time_size<false>> watches_;
};

/// Both methods take one request; each handler lives until its call is over.
class HealthService::Impl::Check final : public CallHandler {
 public:
  Check(Impl& service, Call& call) : service_(service), call_(call) {}

  void on_message(std::string_view message) noexcept override {
    const auto name = read_health_request(message);
    if (!name) {
      call_.finish(GrpcStatus::internal, "malformed HealthCheckRequest");
    } else if (!service_.knows(*name)) {
      call_.finish(GrpcStatus::not_found, "unknown service");
    } else {
      send(call_, service_.status());
      call_.finish(GrpcStatus::ok);
    }
  }
  void on_half_close() noexcept override {
    call_.finish(GrpcStatus::internal, "no HealthCheckRequest");
  }
  void on_closed(CloseReason) noexcept override { delete this; }

 private:
  Impl& service_;
  Call& call_;
};

class HealthService::Impl::Watch final : public CallHandler, private Watcher {
 public:
  Watch(Impl& service, Call& the_call) : Watcher(the_call), service_(service) {}

  void on_message(std::string_view message) noexcept override {
    if (started_) {
      call.finish(GrpcStatus::internal, "more than one HealthCheckRequest");
      return;
    }
    started_ = true;
    const auto name = read_health_request(message);
    if (!name) {
      call.finish(GrpcStatus::internal, "malformed HealthCheckRequest");
      return;
    }
    known = service_.knows(*name);
    send(call, known ? service_.status() : ServingStatus::service_unknown);
    service_.watches_.push_back(*this);
    if (service_.ending_) service_.end_watches();
  }
  void on_half_close() noexcept override {
    if (!started_) call.finish(GrpcStatus::internal, "no HealthCheckRequest");
  }
  void on_closed(CloseReason) noexcept override { delete this; }

 private:
  Impl& service_;
  bool started_ = false;
};

CallHandler* HealthService::Impl::start(std::string_view path, Call& call) {
  if (path == "/grpc.health.v1.Health/Check") return new Check(*this, call);
  if (path == "/grpc.health.v1.Health/Watch") return new Watch(*this, call);
  return nullptr;
}

void HealthService::Impl::set_serving(bool serving) {
  if (std::exchange(serving_, serving) == serving) return;
  for (Watcher& watcher : watches_) {
    if (watcher.known) send(watcher.call, status());
  }
}

void HealthService::Impl::end_watches() {
  ending_ = true;
  while (!watches_.empty()) {
    Call& call = watches_.front().call;
    // Out of the list first: it may be gone when finish() returns.
    watches_.pop_front();
    call.finish(GrpcStatus::unavailable, "server is shutting down");
  }
}

HealthService::HealthService(std::vector<std::string_view> names)
    : impl_(std::make_unique<Impl>(std::move(names))) {}

HealthService::~HealthService() = default;

CallHandler* HealthService::start(std::string_view path, Call& call) {
  return impl_->start(path, call);
}

void HealthService::set_serving(bool serving) { impl_->set_serving(serving); }
void HealthService::end_watches() { impl_->end_watches(); }

}  // namespace extproc::grpc
