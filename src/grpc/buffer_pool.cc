#include "grpc/buffer_pool.h"

#include <utility>

namespace extproc::grpc {

std::string BufferPool::take() {
  if (free_.empty()) return {};
  std::string buffer = std::move(free_.back());
  free_.pop_back();
  free_bytes_ -= buffer.capacity();
  return buffer;
}

void BufferPool::give_back(std::string& buffer) {
  const std::size_t capacity = buffer.capacity();
  if (capacity <= std::string().capacity()) {
    buffer.clear();
    return;
  }
  if (capacity <= kLargestKept && free_bytes_ + capacity <= kMostBytesKept) {
    buffer.clear();
    free_.push_back(std::move(buffer));
    free_bytes_ += capacity;
  }
  // Assigning an empty string would keep the capacity.
  std::string().swap(buffer);
}

}  // namespace extproc::grpc
