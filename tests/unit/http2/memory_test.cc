#include "http2/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace extproc::http2 {
namespace {

constexpr std::size_t kSizes[] = {0, 1, 7, 8, 9, 100, 503, 504, 505, 4096, 100'000};

void fill(void* block, std::size_t bytes, char with) { std::memset(block, with, bytes); }

bool holds(const void* block, std::size_t bytes, char what) {
  return std::string(static_cast<const char*>(block), bytes) == std::string(bytes, what);
}

TEST(Memory, BlocksDoNotOverlapAndAreAligned) {
  Memory memory;
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t size : kSizes) {
      void* block = memory.allocate(size);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(void*), 0U);
      fill(block, size, static_cast<char>('a' + blocks.size() % 26));
      blocks.emplace_back(block, size);
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i)
    EXPECT_TRUE(holds(blocks[i].first, blocks[i].second, static_cast<char>('a' + i % 26)));
  for (const auto& [block, size] : blocks) memory.release(block);
}

TEST(Memory, ReallocationKeepsWhatIsThere) {
  Memory memory;
  for (const std::size_t before : kSizes) {
    for (const std::size_t after : kSizes) {
      void* block = memory.allocate(before);
      fill(block, before, 'x');
      block = memory.reallocate(block, after);
      ASSERT_NE(block, nullptr);
      EXPECT_TRUE(holds(block, std::min(before, after), 'x')) << before << " to " << after;
      fill(block, after, 'y');
      memory.release(block);
    }
  }
  void* fresh = memory.reallocate(nullptr, 10);
  EXPECT_NE(fresh, nullptr);
  memory.release(fresh);
  memory.release(nullptr);
}

TEST(Memory, WhatCannotBeHadIsNull) {
  Memory memory;
  constexpr auto kMost = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(memory.allocate(kMost), nullptr);
  void* block = memory.allocate(100'000);
  EXPECT_EQ(memory.reallocate(block, kMost), nullptr);
  const nghttp2_mem functions = memory.functions();
  EXPECT_EQ(functions.calloc(kMost / 2, 4, functions.mem_user_data), nullptr);
  memory.release(block);
}

TEST(Memory, UsedBlocksComeBackZeroedFromCalloc) {
  Memory memory;
  const nghttp2_mem functions = memory.functions();
  for (const std::size_t size : {40U, 4000U}) {
    void* used = functions.malloc(size, functions.mem_user_data);
    fill(used, size, 'x');
    functions.free(used, functions.mem_user_data);
    void* zeroed = functions.calloc(size / 4, 4, functions.mem_user_data);
    EXPECT_TRUE(holds(zeroed, size, '\0'));
    functions.free(zeroed, functions.mem_user_data);
  }
}

}  // namespace
}  // namespace extproc::http2
