#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <memory_resource>

#ifdef __SANITIZE_ADDRESS__
#define EXTPROC_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXTPROC_ADDRESS_SANITIZER
#endif
#endif

namespace extproc::http2 {

/// What nghttp2 allocates for the sessions of one thread. That is a dozen small blocks a stream, of
/// few sizes: they are kept and used again, which takes a fraction of what a general allocator
/// does. What the busiest moment needed stays until the end; larger blocks are malloc's. Outlives
/// its sessions.
class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Aligned as a pointer is, which is all that nghttp2's types need; null when there is no memory.
  void* allocate(std::size_t bytes) noexcept;
  /// As std::realloc() does.
  void* reallocate(void* block, std::size_t bytes) noexcept;
  /// Null is nothing to release.
  void release(void* block) noexcept;

  /// The functions that nghttp2 calls, with this as their user data.
  nghttp2_mem functions() noexcept;

 private:
  struct Header {
    std::size_t steps;  ///< the size of the block with its header, in kStep; 0: it is malloc's
  };
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kStep = 16;
#ifdef EXTPROC_ADDRESS_SANITIZER
  // It watches what is malloc's.
  static constexpr std::size_t kMostSteps = 0;
#else
  static constexpr std::size_t kMostSteps = 32;
#endif

  static Header& header_of(void* block) { return static_cast<Header*>(block)[-1]; }
  void* allocate_fresh(std::size_t steps) noexcept;

  std::array<Free*, kMostSteps + 1> free_{};
  std::pmr::monotonic_buffer_resource arena_;
};

}  // namespace extproc::http2
