#include "server/drain.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <utility>

namespace extproc::server {

namespace asio = boost::asio;
using boost::system::error_code;

Drain::Drain(asio::io_context& io, const Configuration& configuration, Listener& listener,
             std::span<const std::unique_ptr<Worker>> workers, std::function<void()> over,
             std::function<void()> done)
    : io_(io),
      configuration_(configuration),
      listener_(listener),
      workers_(workers),
      over_(std::move(over)),
      done_(std::move(done)),
      end_timer_(io),
      delay_timer_(io) {}

void Drain::begin(std::chrono::milliseconds grace_period) {
  const auto end_at = Clock::now() + grace_period;
  if (step_ == Step::serving) {
    notice();
  } else if (step_ >= Step::ending || end_at >= end_at_) {
    return;
  }
  end_at_ = end_at;
  if (grace_period <= grace_period.zero()) return end();
  end_timer_.expires_at(end_at_);
  end_timer_.async_wait([this](const error_code& error) {
    if (!error) end();
  });
}

void Drain::notice() {
  step_ = Step::noticing;
  const bool connected =
      std::ranges::any_of(workers_, [](const auto& worker) { return worker->load() > 0; });
  const auto seen = when_all(&Drain::finish_if_noticed);
  for (const auto& worker : workers_) worker->begin_drain(seen);

  // Nobody is connected, so nobody sends requests that would move elsewhere during the delay.
  delay_over_ = !connected;
  if (delay_over_) return;
  delay_timer_.expires_after(configuration_.drain_delay);
  delay_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    delay_over_ = true;
    if (all_seen_) finish();
  });
}

void Drain::finish_if_noticed() {
  all_seen_ = true;
  if (delay_over_) finish();
}

void Drain::finish() {
  if (step_ != Step::noticing) return;
  step_ = Step::finishing;
  delay_timer_.cancel();
  listener_.close();
  const auto empty = when_all(&Drain::stop);
  for (const auto& worker : workers_) worker->finish_drain(empty);
}

void Drain::end() {
  if (step_ == Step::noticing) finish();
  if (step_ != Step::finishing) return;
  step_ = Step::ending;
  over_();
  for (const auto& worker : workers_) worker->end_streams();
}

void Drain::stop() {
  step_ = Step::done;
  end_timer_.cancel();
  done_();
}

std::function<void()> Drain::when_all(void (Drain::*next)()) {
  auto missing = std::make_shared<std::atomic<std::size_t>>(workers_.size());
  return [this, missing, next] {
    if (missing->fetch_sub(1) == 1) asio::post(io_, [this, next] { (this->*next)(); });
  };
}

}  // namespace extproc::server
