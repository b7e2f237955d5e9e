#include "exchange/direction.h"

#include <charconv>
#include <cstddef>
#include <string_view>

namespace extproc::exchange {

bool Direction::seen(Phase phase, bool last) {
  // What was under way when it was replaced is not looked at.
  if (replaced()) return true;
  const bool in_order =
      is_headers(phase) ? progress_ == Progress::awaited : progress_ < Progress::over;
  if (!in_order) return false;
  if (is_trailers(phase) || last) {
    progress_ = Progress::over;
  } else {
    progress_ = is_body(phase) ? Progress::in_body : Progress::begun;
  }
  return true;
}

void Direction::correct_content_length(const HttpBody& body, BodyResponse& response) const {
  if (response.body_change() == BodyChange::none) return;
  if (!headers_seen_ || !content_length_ || !brings_all(body)) return;
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, response.body().size());
  response.set_header("content-length",
                      std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

void Directions::configure(const std::optional<ProtocolConfiguration>& config) {
  config_ = config;
  update();
}

void Directions::update() {
  using Config = ProtocolConfiguration;
  const auto set = [&](Direction& direction, BodySendMode Config::*mode) {
    direction.set_mode(config_ ? std::optional((*config_).*mode) : std::nullopt);
    if (!framed_) direction.come_in(direction.mode());
  };
  set(directions_[0], &Config::request_body_mode);
  set(directions_[1], &Config::response_body_mode);
}

void Directions::come_as(const Directions& frame) {
  framed_ = true;
  directions_[0].come_in(frame.directions_[0].comes_in());
  directions_[1].come_in(frame.directions_[1].comes_in());
}

void Directions::apply(const ModeOverride& mode) {
  if (!overridden_) configured_ = config_;
  overridden_ = true;
  if (!config_) return;
  if (mode.request_body_mode) config_->request_body_mode = *mode.request_body_mode;
  if (mode.response_body_mode) config_->response_body_mode = *mode.response_body_mode;
  update();
}

bool Directions::may_come(PhaseSet phases) const {
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    const auto phase = static_cast<Phase>(i);
    if (phases.contains(phase) && may_come(phase)) return true;
  }
  return false;
}

bool Directions::may_come(Phase phase) const {
  using Progress = Direction::Progress;
  const Direction& direction = of(phase);
  const Progress progress = direction.progress();
  switch (phase) {
    case Phase::request_headers:
      // A response that comes first is a local reply, or the request's headers are not sent.
      return progress == Progress::awaited &&
             of(Phase::response_headers).progress() == Progress::awaited;
    case Phase::response_headers:
      return progress == Progress::awaited;
    case Phase::request_body:
    case Phase::response_body: {
      if (progress >= Progress::over) return false;
      if (overridden_) return true;
      const auto mode = direction.mode();
      const bool one_message =
          mode == BodySendMode::buffered || mode == BodySendMode::buffered_partial;
      return mode != BodySendMode::none && !(one_message && progress == Progress::in_body);
    }
    case Phase::request_trailers:
    case Phase::response_trailers:
      return progress < Progress::over;
  }
  return true;
}

}  // namespace extproc::exchange
