#include "envoy/kit/direction.h"

#include <numeric>
#include <utility>

namespace extproc::testing::envoy {

std::size_t ChunkQueue::bytes() const {
  return std::accumulate(
      chunks_.begin(), chunks_.end(), std::size_t{0},
      [](std::size_t sum, const Chunk& chunk) { return sum + chunk.data.size(); });
}

ChunkQueue::Chunk ChunkQueue::pop() {
  Chunk chunk = std::move(chunks_.front());
  chunks_.pop_front();
  return chunk;
}

const ChunkQueue::Chunk& ChunkQueue::join() {
  while (chunks_.size() > 1) {
    chunks_.front().data.append(chunks_[1].data);
    chunks_.front().end = chunks_[1].end;
    chunks_.erase(chunks_.begin() + 1);
  }
  return chunks_.front();
}

void Direction::set_mode(const ProcessingMode& mode) {
  send_headers = mode.sends(headers_phase);
  send_trailers = mode.sends(trailers_phase);
  body_mode = mode.body(body_phase);
}

Direction make_direction(Side side, const ProcessingMode& mode) {
  Direction direction;
  direction.side = side;
  if (side == Side::response) {
    direction.headers_phase = Phase::response_headers;
    direction.body_phase = Phase::response_body;
    direction.trailers_phase = Phase::response_trailers;
  }
  direction.set_mode(mode);
  return direction;
}

}  // namespace extproc::testing::envoy
