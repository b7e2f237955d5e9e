#include "http2/memory.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace extproc::http2 {
namespace {

Memory& memory(void* user) { return *static_cast<Memory*>(user); }

void* allocate_zeroed(Memory& memory, std::size_t count, std::size_t size) noexcept {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* block = memory.allocate(count * size);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}

}  // namespace

void* Memory::allocate(std::size_t bytes) noexcept {
  if (bytes > kMostSteps * kStep - sizeof(Header) || kMostSteps == 0) {
    if (bytes > std::numeric_limits<std::size_t>::max() - sizeof(Header)) return nullptr;
    auto* header = static_cast<Header*>(std::malloc(sizeof(Header) + bytes));
    if (header == nullptr) return nullptr;
    header->steps = 0;
    return header + 1;
  }
  const std::size_t steps = (sizeof(Header) + bytes + kStep - 1) / kStep;
  Free* block = free_[steps];
  if (block == nullptr) return allocate_fresh(steps);
  free_[steps] = block->next;
  return block;
}

void* Memory::allocate_fresh(std::size_t steps) noexcept {
  try {
    auto* header = ::new (arena_.allocate(steps * kStep, kStep)) Header{steps};
    return header + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void Memory::release(void* block) noexcept {
  if (block == nullptr) return;
  const std::size_t steps = header_of(block).steps;
  if (steps == 0) {
    std::free(&header_of(block));
  } else {
    free_[steps] = ::new (block) Free{free_[steps]};
  }
}

void* Memory::reallocate(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return allocate(bytes);
  const std::size_t steps = header_of(block).steps;
  if (steps == 0) {
    if (bytes > std::numeric_limits<std::size_t>::max() - sizeof(Header)) return nullptr;
    auto* header = static_cast<Header*>(std::realloc(&header_of(block), sizeof(Header) + bytes));
    return header == nullptr ? nullptr : header + 1;
  }
  const std::size_t room = steps * kStep - sizeof(Header);
  if (bytes <= room) return block;
  void* larger = allocate(bytes);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, room);
  release(block);
  return larger;
}

nghttp2_mem Memory::functions() noexcept {
  return {
      .mem_user_data = this,
      .malloc = [](std::size_t bytes, void* user) { return memory(user).allocate(bytes); },
      .free = [](void* block, void* user) { memory(user).release(block); },
      .calloc = [](std::size_t count, std::size_t size,
                   void* user) { return allocate_zeroed(memory(user), count, size); },
      .realloc = [](void* block, std::size_t bytes,
                    void* user) { return memory(user).reallocate(block, bytes); },
  };
}

}  // namespace extproc::http2
