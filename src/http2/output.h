#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::http2 {

/// What is to be written to a connection, in order. What is small is copied in; of what is large
/// there are slices, whose buffers are kept until clear().
class Output {
 public:
  std::size_t size() const { return text_.size() + sliced_bytes_; }
  bool empty() const { return size() == 0; }

  void append(std::string_view text) { text_ += text; }
  /// `slice` lies in `*buffer`, which nobody changes any more.
  void append(const std::shared_ptr<const std::string>& buffer, std::string_view slice);

  /// Calls `each(std::string_view)` for what was appended, in as few pieces as there are.
  template <class Each>
  void for_each_piece(const Each& each) const;
  /// Appends a copy of everything behind the first `skipped` bytes to `out`.
  void copy_to(std::string& out, std::size_t skipped = 0) const;
  /// Keeps the memory of what was copied in.
  void clear();

 private:
  struct Slice {
    std::size_t text_before;
    std::string_view bytes;
  };

  std::string text_;
  std::vector<Slice> slices_;
  std::vector<std::shared_ptr<const std::string>> buffers_;
  std::size_t sliced_bytes_ = 0;
};

template <class Each>
void Output::for_each_piece(const Each& each) const {
  const std::string_view text = text_;
  std::size_t at = 0;
  for (const Slice& slice : slices_) {
    if (at < slice.text_before) each(text.substr(at, slice.text_before - at));
    each(slice.bytes);
    at = slice.text_before;
  }
  if (at < text.size()) each(text.substr(at));
}

}  // namespace extproc::http2
