#include "http2/frame_reader.h"

#include <algorithm>

namespace extproc::http2 {

bool FrameReader::take_preface(std::string_view& bytes) {
  const std::string_view expected = kPreface.substr(kPreface.size() - preface_left_);
  const std::size_t count = std::min(expected.size(), bytes.size());
  if (bytes.substr(0, count) != expected.substr(0, count)) return false;
  preface_left_ -= count;
  bytes.remove_prefix(count);
  return true;
}

bool FrameReader::fill_partial(std::size_t size, std::string_view& bytes) {
  if (partial_.size() < size) {
    const std::size_t count = std::min(size - partial_.size(), bytes.size());
    partial_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
  }
  return partial_.size() >= size;
}

}  // namespace extproc::http2
