#include "http2/output.h"

#include <algorithm>

namespace extproc::http2 {

void Output::append(const std::shared_ptr<const std::string>& buffer, std::string_view slice) {
  if (slice.empty()) return;
  slices_.push_back({text_.size(), slice});
  sliced_bytes_ += slice.size();
  if (buffers_.empty() || buffers_.back() != buffer) buffers_.push_back(buffer);
}

void Output::copy_to(std::string& out, std::size_t skipped) const {
  for_each_piece([&](std::string_view piece) {
    const std::size_t here = std::min(skipped, piece.size());
    skipped -= here;
    out += piece.substr(here);
  });
}

void Output::clear() {
  text_.clear();
  slices_.clear();
  buffers_.clear();
  sliced_bytes_ = 0;
}

}  // namespace extproc::http2
