#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace extproc::fuzz {

/// The bytes of one run, taken from the front; what is missing at the end reads as 0 and "".
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }

  std::uint8_t byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken.front());
  }

  /// Up to `size` bytes.
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  /// As many as the two bytes in front of them say, big endian.
  std::string_view sized() {
    const std::size_t high = byte();
    return take(high << 8 | byte());
  }

 private:
  std::string_view rest_;
};

}  // namespace extproc::fuzz
