#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace extproc::grpc {

/// Buffers that the calls of one connection use in turn: a call holds one only while bytes wait in
/// it, so that an idle call costs nothing and a busy one allocates nothing.
class BufferPool {
 public:
  /// An empty string, with capacity when there is one to be had.
  std::string take();
  /// Leaves `buffer` empty and without capacity.
  void give_back(std::string& buffer);

 private:
  static constexpr std::size_t kLargestKept = std::size_t{16} << 10;
  static constexpr std::size_t kMostBytesKept = std::size_t{256} << 10;

  std::vector<std::string> free_;
  std::size_t free_bytes_ = 0;
};

}  // namespace extproc::grpc
