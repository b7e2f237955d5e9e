#include "envoy/kit/simulation.h"

#include <algorithm>
#include <utility>

namespace extproc::testing::envoy {

Simulation::Simulation(const FilterConfig& config, const EnvoyOptions& options,
                       const Exchange& exchange, ProcessorPeer& peer)
    : ConnectionManager(filter_, options, exchange),
      peer_(peer),
      filter_(config, options.buffer_limit_bytes, *this, *this, Record(result())) {}

bool Simulation::take_from_processor(Time most, bool more) {
  if (!stream_open_) return false;
  Time later = now();
  const auto event = peer_.next(later, most, more);
  pass(later - now());
  if (!event) return false;
  if (event->is_reply) {
    result().messages.push_back({false, event->bytes});
    filter_.on_reply(event->bytes);
  } else {
    stream_open_ = false;
    filter_.on_stream_end(event->grpc_status, event->grpc_message);
  }
  return true;
}

std::optional<Time> Simulation::next_timer() const {
  const auto timer = filter_.next_timer();
  const auto peer = stream_open_ ? peer_.next_time() : std::nullopt;
  return timer && peer ? std::min(*timer, *peer) : timer ? timer : peer;
}

void Simulation::on_time() {
  const auto timer = filter_.next_timer();
  if (timer && *timer <= now()) filter_.on_time();
}

void Simulation::open_stream() {
  stream_open_ = true;
  peer_.open(now());
}

void Simulation::send_message(std::string bytes) {
  // Envoy counts a message that it sends to a stream which it has just closed.
  if (!stream_open_) return;
  result().messages.push_back({true, bytes});
  peer_.send(std::move(bytes), now());
}

void Simulation::close_stream() {
  stream_open_ = false;
  peer_.close();
}

}  // namespace extproc::testing::envoy
