#pragma once

#include <cstddef>
#include <cstdint>

namespace extproc::grpc {

/// What stands before each message: a byte that tells whether it is compressed, and its size.
struct FramePrefix {
  static constexpr std::size_t kBytes = 5;

  std::uint8_t compressed;
  std::uint32_t message_bytes;

  static FramePrefix read(const char* from) {
    const auto byte = [from](std::size_t i) {
      return std::uint32_t{static_cast<unsigned char>(from[i])};
    };
    return {static_cast<std::uint8_t>(byte(0)),
            byte(1) << 24U | byte(2) << 16U | byte(3) << 8U | byte(4)};
  }

  void write(char* to) const {
    to[0] = static_cast<char>(compressed);
    for (unsigned i = 0; i < 4; ++i)
      to[1 + i] = static_cast<char>(message_bytes >> (24U - 8U * i) & 0xFFU);
  }
};

}  // namespace extproc::grpc
