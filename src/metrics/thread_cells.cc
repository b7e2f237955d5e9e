#include "metrics/thread_cells.h"

namespace extproc::metrics {

constinit thread_local ThreadCells::Block* ThreadCells::block_ = nullptr;

struct ThreadCells::Holder {
  Holder() = default;
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    instance().give_back(block);
    block_ = nullptr;
  }
  Block* block = nullptr;
};

ThreadCells::Block::~Block() {
  for (const auto& chunk : chunks) delete chunk.load();
}

// Never destroyed: threads may end after it would be.
ThreadCells& ThreadCells::instance() {
  static auto* const all = new ThreadCells;
  return *all;
}

ThreadCells::Block* ThreadCells::take_block() {
  thread_local Holder holder;
  {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) {
      block_ = blocks_.emplace_back(std::make_unique<Block>()).get();
    } else {
      block_ = spare_.back();
      spare_.pop_back();
    }
  }
  return holder.block = block_;
}

void ThreadCells::give_back(Block* block) {
  const std::lock_guard lock(mutex_);
  spare_.push_back(block);
}

ThreadCells::Chunk* ThreadCells::make_chunk(Block& block, std::uint32_t number) {
  auto* const made = new Chunk{};
  block.chunks[number].store(made, std::memory_order_release);
  return made;
}

double ThreadCells::sum(std::uint32_t cell) const {
  const std::lock_guard lock(mutex_);
  double sum = 0;
  for (const auto& block : blocks_) {
    const Chunk* chunk = block->chunks[cell / kPerChunk].load(std::memory_order_acquire);
    if (chunk != nullptr) sum += (*chunk)[cell % kPerChunk].load(std::memory_order_relaxed);
  }
  return sum;
}

// All of them in one chunk.
std::uint32_t ThreadCells::take(std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  std::uint32_t first = taken_;
  if (first / kPerChunk != (first + count - 1) / kPerChunk)
    first = (first / kPerChunk + 1) * kPerChunk;
  if (count > kPerChunk || first + count > kPerChunk * kChunks) return kNone;
  taken_ = first + count;
  return first;
}

}  // namespace extproc::metrics
