#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <protozero/varint.hpp>
#include <string>
#include <string_view>

namespace extproc::wire {

// Sizes are known before anything is written, so that nested messages need no second pass over
// their bytes. All field numbers written with it are below 16, which makes each tag one byte.

constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

/// The size of a length-delimited field with `size` bytes in it.
constexpr std::size_t field_size(std::size_t size) { return 1 + varint_size(size) + size; }

/// The same where an empty field is left out.
constexpr std::size_t optional_field_size(std::size_t size) {
  return size == 0 ? 0 : field_size(size);
}

/// Writes into room that was sized before; it does not check.
class Encoder {
 public:
  /// Makes room for exactly `size` bytes behind what `out` holds. `out` must not change while it is
  /// in use. Room is filled with zeros first: the `body_bytes` of one body_field() are left out.
  Encoder(std::string& out, std::size_t size, std::size_t body_bytes = 0) : out_(out) {
    const std::size_t old_size = out.size();
    end_ = old_size + size;
    if (body_bytes != 0) out.reserve(end_);
    out.resize(end_ - body_bytes);
    at_ = out.data() + old_size;
  }

  /// Tag and length of a length-delimited field; its `size` bytes follow.
  void begin_field(unsigned number, std::size_t size) {
    *at_++ = static_cast<char>((number << 3) | 2U);
    at_ += protozero::write_varint(at_, size);
  }

  void bytes_field(unsigned number, std::string_view bytes) {
    begin_field(number, bytes.size());
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  void optional_bytes_field(unsigned number, std::string_view bytes) {
    if (!bytes.empty()) bytes_field(number, bytes);
  }

  void body_field(unsigned number, std::string_view bytes) {
    begin_field(number, bytes.size());
    out_.resize(static_cast<std::size_t>(at_ - out_.data()));
    out_.append(bytes);
    const std::size_t size = out_.size();
    out_.resize(end_);
    at_ = out_.data() + size;
  }

  void varint_field(unsigned number, std::uint64_t value) {
    *at_++ = static_cast<char>(number << 3);
    at_ += protozero::write_varint(at_, value);
  }

 private:
  std::string& out_;
  std::size_t end_;
  char* at_;
};

}  // namespace extproc::wire
