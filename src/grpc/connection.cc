#include "grpc/connection.h"

#include <utility>

#include "grpc/connection_impl.h"

namespace extproc::grpc {

Connection::Connection(const Limits& limits, std::span<GrpcService* const> services,
                       DeadlineWheel& deadlines, BufferPool& buffers, std::string peer,
                       std::function<void()> on_output)
    : impl_(std::make_unique<Impl>(limits, services, deadlines, buffers, std::move(peer),
                                   std::move(on_output))) {}

Connection::~Connection() = default;

bool Connection::receive(std::string_view bytes, Clock::time_point now) {
  return impl_->receive(bytes, now);
}

void Connection::take_output(http2::Output& out, std::size_t max) { impl_->take_output(out, max); }

bool Connection::finished() const { return impl_->session_.finished(); }
void Connection::tell_held() { impl_->tell_held(); }

std::size_t Connection::held_bytes() const { return impl_->held_bytes(); }

void Connection::visit_calls(const CallVisitor& visit) const { impl_->visit_calls(visit); }
std::size_t Connection::open_streams() const { return impl_->session_.open_streams(); }
void Connection::give_back() { impl_->give_back(); }
std::optional<Clock::time_point> Connection::incomplete_since() const {
  return impl_->session_.incomplete_since();
}
std::uint64_t Connection::progress() const { return impl_->session_.progress(); }
bool Connection::answers_wait() const { return impl_->session_.bodies_wait(); }
void Connection::terminate(std::string_view reason) {
  impl_->session_.terminate(http2::ErrorCode::enhance_your_calm, reason);
}
void Connection::set_peer_certificate(std::shared_ptr<const PeerCertificate> certificate) {
  impl_->peer_certificate = std::move(certificate);
}
bool Connection::established() const { return impl_->session_.established(); }
std::string_view Connection::error() const { return impl_->session_.error(); }

void Connection::begin_shutdown() {
  impl_->session_.begin_shutdown();
  impl_->output_ready();
}

bool Connection::shutdown_seen() const { return impl_->session_.shutdown_seen(); }

void Connection::finish_shutdown() {
  impl_->session_.finish_shutdown();
  impl_->output_ready();
}

void Connection::end_all(GrpcStatus status, std::string_view message) {
  impl_->end_all(status, message);
}

}  // namespace extproc::grpc
