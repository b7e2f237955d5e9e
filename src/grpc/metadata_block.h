#pragma once

#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grpc/metadata.h"

namespace extproc::grpc {

/// What a call's request headers say about the call itself.
struct CallHead {
  enum class Verdict : std::uint8_t {
    accepted,
    wrong_method,        ///< not POST
    wrong_content_type,  ///< not application/grpc
    wrong_encoding,      ///< grpc-encoding other than identity
    wrong_timeout,       ///< grpc-timeout malformed
    too_large,           ///< over Limits::header_list_bytes
  };
  Verdict verdict = Verdict::accepted;
  std::string path;
  std::optional<std::chrono::nanoseconds> timeout;
};

/// The text of all headers in one piece, and where each begins. The first `pseudo` of `fields` are
/// pseudo-headers.
struct Metadata::Block
    : boost::intrusive_ref_counter<Metadata::Block, boost::thread_unsafe_counter> {
  struct Field {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };

  std::string_view name(const Field& field) const {
    return {text.data() + field.begin, field.name_size};
  }
  std::string_view value(const Field& field) const {
    return {text.data() + field.begin + field.name_size, field.value_size};
  }
  void append(std::string_view name, std::string_view value);
  bool has_at(std::size_t index, std::string_view name, std::string_view value) const {
    if (index >= fields.size()) return false;
    const Field& field = fields[index];
    if (field.name_size != name.size() || field.value_size != value.size()) return false;
    const char* at = text.data() + field.begin;
    return std::memcmp(at, name.data(), name.size()) == 0 &&
           std::memcmp(at + name.size(), value.data(), value.size()) == 0;
  }
  /// Fills the rest once all is appended.
  void read_head();
  std::string text;
  std::vector<Field> fields;
  std::size_t pseudo = 0;
  CallHead head;
  std::size_t weight = 0;           ///< the memory that all of it takes, in bytes
  mutable std::uint32_t calls = 0;  ///< that hold it
  mutable std::optional<bool> has_trace;
};

inline std::size_t Metadata::begin_use() const {
  return block_ && block_->calls++ == 0 ? block_->weight : 0;
}

inline std::size_t Metadata::end_use() const {
  return block_ && --block_->calls == 0 ? block_->weight : 0;
}

}  // namespace extproc::grpc
