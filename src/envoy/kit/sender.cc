#include "envoy/kit/sender.h"

#include <algorithm>
#include <utility>

namespace extproc::testing::envoy {

void Sender::begin(const HttpMessage& message, const HeaderList& missing, Pacing pacing, Time now) {
  pacing_ = pacing;
  HeaderList headers;
  for (const auto& [name, value] : missing) {
    const bool given = std::any_of(message.headers.begin(), message.headers.end(),
                                   [&](const auto& entry) { return entry.first == name; });
    if (!given) headers.emplace_back(name, value);
  }
  headers.insert(headers.end(), message.headers.begin(), message.headers.end());
  pieces_.clear();
  add({.kind = Piece::Kind::headers, .headers = std::move(headers)}, message);
  for (const auto& chunk : message.body) add({.kind = Piece::Kind::data, .data = chunk}, message);
  if (message.trailers) add({.kind = Piece::Kind::trailers, .headers = *message.trailers}, message);
  pieces_.back().end = !message.stays_open;
  due_ = now + pieces_.front().after;
}

void Sender::add(Piece piece, const HttpMessage& message) {
  const std::size_t index = pieces_.size();
  if (index < message.after.size()) piece.after = message.after[index];
  pieces_.push_back(std::move(piece));
}

std::optional<Time> Sender::next_time() const {
  return pieces_.empty() ? std::nullopt : std::optional(due_);
}

Piece Sender::take(Time now) {
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  if (!pieces_.empty()) due_ = now + pieces_.front().after;
  return piece;
}

}  // namespace extproc::testing::envoy
