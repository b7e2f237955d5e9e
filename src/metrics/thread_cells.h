#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace extproc::metrics {

/// Cells of which each thread has its own, so that to add to one is a load and a store; what a cell
/// says is their sum. A thread that ends leaves its own to the next that begins, as they are.
class ThreadCells {
 public:
  static constexpr std::uint32_t kPerChunk = 512;
  static constexpr std::uint32_t kChunks = 256;

  static ThreadCells& instance();

  /// Adds to the calling thread's.
  static void add(std::uint32_t cell, double amount) {
    std::atomic<double>& its = mine(cell);
    its.store(its.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  /// Over all threads.
  double sum(std::uint32_t cell) const;
  /// The first of `count` cells in a row that nobody has; kNone where there are no more.
  std::uint32_t take(std::uint32_t count);
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

 private:
  using Chunk = std::array<std::atomic<double>, kPerChunk>;
  /// What one thread has; chunks are made when the first of their cells is used.
  struct Block {
    ~Block();
    std::array<std::atomic<Chunk*>, kChunks> chunks{};
  };
  /// Gives the thread's block back when the thread ends.
  struct Holder;

  static std::atomic<double>& mine(std::uint32_t cell) {
    Block* block = block_;
    if (block == nullptr) block = instance().take_block();
    Chunk* chunk = block->chunks[cell / kPerChunk].load(std::memory_order_relaxed);
    if (chunk == nullptr) chunk = make_chunk(*block, cell / kPerChunk);
    return (*chunk)[cell % kPerChunk];
  }
  Block* take_block();
  void give_back(Block* block);
  static Chunk* make_chunk(Block& block, std::uint32_t number);

  static constinit thread_local Block* block_;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<Block*> spare_;
  std::uint32_t taken_ = 0;
};

}  // namespace extproc::metrics
