// What SocketConnection does when time passes. One on which something comes, or that has streams,
// is looked at again and again; one that is idle, only at the end of its time. So a busy one sets
// no timer for what comes, and a limit may be noticed some time late.
#include <algorithm>
#include <boost/asio/socket_base.hpp>
#include <random>
#include <utility>

#include "server/socket_connection.h"

namespace extproc::server {

using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kHeldUp{1};

}  // namespace

grpc::Clock::duration ConnectionEnvironment::look_interval_of(const Limits& limits) {
  // Unless a limit is short, soon enough to give memory back.
  grpc::Clock::duration interval = std::chrono::seconds(10);
  const auto within = [&interval](grpc::Clock::duration time) {
    if (time.count() > 0) interval = std::min(interval, time);
  };
  within(limits.idle_timeout);
  within(limits.frame_timeout / 4);
  within(limits.unread_timeout / 4);
  return interval;
}

void SocketConnection::wait_until(Clock::time_point time) {
  timer_at_ = time = std::min(time, age_end_);
  timer_.expires_at(time);
  timer_.async_wait([self = Ptr(this)](const error_code& error) {
    if (!error && !self->closed()) self->on_time();
  });
}

void SocketConnection::look_by(Clock::time_point time) {
  if (time < timer_at_) wait_until(time);
}

void SocketConnection::look_anew() {
  if (transport_ && !refused_ && !closed()) look_by(Clock::now());
}

void SocketConnection::on_time() {
  const auto due = std::exchange(timer_at_, kNever);
  if (!transport_ || refused_) return close();
  const auto now = Clock::now();
  // Where the thread itself stood still, what has come meanwhile is to be read first.
  if (now > due + kHeldUp) return wait_until(now + environment_.look_interval);
  look(now);
}

void SocketConnection::look(Clock::time_point now) {
  const Limits& limits = environment_.limits;
  if (!transport_->established() && handshake_end_ != kNever) {
    if (now < handshake_end_) return wait_until(handshake_end_);
    if (in_handshake()) environment_.counters.tls_handshakes_failed.add();
    return fail(
        in_handshake() ? "the TLS handshake was not complete in time" : "no HTTP/2 preface in time",
        LogLevel::debug);
  }
  if (now >= age_end_) return end_of_age(now);
  const auto incomplete_since = transport_->incomplete_since();
  if (incomplete_since && limits.frame_timeout.count() > 0 &&
      now >= *incomplete_since + limits.frame_timeout) {
    return end_stalled("a frame or a header block was not complete in time", now);
  }
  if (reads_nothing(now)) return end_stalled("answers wait for a peer that does not read", now);
  if (transport_->open_streams() == 0) {
    transport_->give_back();
    if (!incomplete_since && !waiting_writable_) return look_at_idle(now);
  }
  wait_until(now + environment_.look_interval);
}

/// For too long already.
bool SocketConnection::reads_nothing(Clock::time_point now) {
  const std::uint64_t before = std::exchange(progress_, transport_->progress());
  if (progress_ != before || (!waiting_writable_ && !transport_->answers_wait())) {
    unread_since_ = kNever;
    return false;
  }
  unread_since_ = std::min(unread_since_, now);
  const auto timeout = environment_.limits.unread_timeout;
  return timeout.count() > 0 && now - unread_since_ >= timeout;
}

// Peers that came together, after a restart, are not to go together.
void SocketConnection::begin_age() {
  const auto age = environment_.limits.max_connection_age;
  if (age.count() == 0) return;
  const auto tenth = std::max(age.count() / 10, std::chrono::milliseconds::rep{1});
  static thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::chrono::milliseconds::rep> jitter(-tenth, tenth);
  age_end_ = last_read_ + age + std::chrono::milliseconds(jitter(random));
  look_by(age_end_);
}

void SocketConnection::end_of_age(Clock::time_point now) {
  const Ptr self(this);
  const auto grace = environment_.limits.max_connection_age_grace;
  if (!std::exchange(aged_, true)) {
    environment_.counters.connections_aged.add();
    log(LogLevel::debug, "as old as Limits::max_connection_age allows, ending it");
    age_end_ = grace.count() > 0 ? now + grace : kNever;
    finish_shutdown();
  } else {
    age_end_ = kNever;
    if (const std::size_t open = transport_->open_streams(); open > 0) {
      log(LogLevel::warning,
          "older than Limits::max_connection_age and its grace: streams that had not ended are, " +
              std::to_string(open) +
              ", and a body that goes through one is cut. A longer grace "
              "(--max-connection-age-grace) lets them end");
    }
    end_all("the connection is older than Limits::max_connection_age and its grace");
  }
  if (!closed() && timer_at_ == kNever) wait_until(now + environment_.look_interval);
}

void SocketConnection::end_stalled(std::string_view reason, Clock::time_point now) {
  environment_.counters.connections_stalled.add();
  if (waiting_writable_) {
    // Nothing can be told to a peer that does not read, and what waits in the kernel is dropped,
    // too.
    error_code ignored;
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    return fail(reason, LogLevel::warning);
  }
  transport_->terminate(reason);
  refused_ = true;
  wait_until(now + kNoticeTime);
  flush();
}

void SocketConnection::look_at_idle(Clock::time_point now) {
  if (idle_end_ != kNever) {
    if (now < idle_end_ + kNoticeTime) return wait_until(idle_end_ + kNoticeTime);
    return fail("idle, and the notice of its end was not answered", LogLevel::debug);
  }
  const auto idle_timeout = environment_.limits.idle_timeout;
  if (idle_timeout.count() == 0) return;
  if (now < last_read_ + idle_timeout) return wait_until(last_read_ + idle_timeout);
  idle_end_ = now;
  log(LogLevel::debug, "idle, ending it");
  wait_until(now + kNoticeTime);
  finish_shutdown();
}

}  // namespace extproc::server
