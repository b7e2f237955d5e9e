#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace bench::nghttp2_server {

/// Buffers that streams have given back, so that a stream holds one only while bytes wait.
class BufferPool {
 public:
  std::string take() {
    if (spare_.empty()) return {};
    std::string buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
  }

  /// Takes the buffer and leaves an empty string; keeps it unless a body has made it large.
  void give_back(std::string& buffer) {
    std::string taken = std::exchange(buffer, {});
    if (taken.capacity() > kLargest || spare_.size() == kMost) return;
    taken.clear();
    spare_.push_back(std::move(taken));
  }

 private:
  static constexpr std::size_t kLargest = std::size_t{128} << 10;
  static constexpr std::size_t kMost = 256;
  std::vector<std::string> spare_;
};

}  // namespace bench::nghttp2_server
