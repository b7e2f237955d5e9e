#include "grpc/buffer_pool.h"

#include <utility>

namespace extproc::grpc {

std::string BufferPool::Buffers::take(std::size_t index) {
  std::string buffer = std::move(free[index]);
  if (index + 1 != free.size()) free[index] = std::move(free.back());
  free.pop_back();
  bytes -= buffer.capacity();
  return buffer;
}

void BufferPool::Buffers::add(std::string buffer) {
  if (bytes + buffer.capacity() > most_bytes) return;
  bytes += buffer.capacity();
  buffer.clear();
  free.push_back(std::move(buffer));
}

std::string BufferPool::take() {
  Buffers& buffers = large_.free.empty() ? small_ : large_;
  return buffers.free.empty() ? std::string() : buffers.take(buffers.free.size() - 1);
}

std::string BufferPool::take(std::size_t bytes) {
  std::string buffer;
  if (bytes <= kLargestSmall) {
    if (!small_.free.empty()) buffer = small_.take(small_.free.size() - 1);
  } else {
    for (std::size_t i = large_.free.size(); i-- > 0;) {
      const std::size_t capacity = large_.free[i].capacity();
      if (capacity >= bytes && capacity / 2 <= bytes) return large_.take(i);
    }
  }
  buffer.reserve(bytes);
  return buffer;
}

void BufferPool::fit(std::string& buffer) {
  if (buffer.capacity() <= kLargestSmall || buffer.capacity() / 4 <= buffer.size()) return;
  std::string fitting = take(buffer.size());
  fitting.append(buffer);
  give_back(buffer);
  buffer = std::move(fitting);
}

void BufferPool::give_back(std::string& buffer) {
  const std::size_t capacity = buffer.capacity();
  if (capacity <= std::string().capacity()) {
    buffer.clear();
    return;
  }
  // Assigning an empty string would keep the capacity.
  std::string taken;
  taken.swap(buffer);
  if (capacity <= kLargestKept) (capacity <= kLargestSmall ? small_ : large_).add(std::move(taken));
}

}  // namespace extproc::grpc
