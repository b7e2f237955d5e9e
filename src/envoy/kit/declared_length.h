#pragma once

#include <charconv>
#include <cstddef>
#include <optional>

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

/// Whether a message has as much of a body as its content-length says. Each function tells whether
/// the piece fits; one that does not, the codec takes for a broken connection.
class DeclaredLength {
 public:
  /// `bodiless`: a response to HEAD or a 304, whose content-length is that of another.
  bool on_headers(const HeaderMap& headers, bool end, bool bodiless) {
    const auto* text = headers.get("content-length");
    if (text == nullptr || bodiless) return true;
    std::size_t length = 0;
    const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), length);
    if (error != std::errc() || stop != text->data() + text->size()) return false;
    left_ = length;
    return !end || length == 0;
  }

  bool on_data(std::size_t size, bool end) {
    if (!left_) return true;
    if (size > *left_) return false;
    *left_ -= size;
    return !end || *left_ == 0;
  }

  bool on_trailers() const { return left_.value_or(0) == 0; }

 private:
  std::optional<std::size_t> left_;
};

}  // namespace extproc::testing::envoy
