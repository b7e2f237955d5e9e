#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http2/frame.h"

namespace extproc::http2 {

/// A header of an answer.
struct Header {
  std::string_view name;
  std::string_view value;
  /// Its text lives as long as the program, so that where it lies tells what it is.
  bool constant;
  std::uint8_t static_name;   ///< in HPACK's static table; 0: it is not there
  std::uint8_t static_entry;  ///< the same for name and value together
};

/// A header whose text lives as long as the program.
Header constant_header(std::string_view name, std::string_view value);
/// A header that is said once. `name` lives as long as the program, `value` until it is encoded.
Header passing_header(std::string_view name, std::string_view value);

/// HPACK (RFC 7541) for the few headers that a gRPC server says: constant ones get their place in
/// the dynamic table when they are first said, and are one byte from then on. None is ever put out
/// of the table for another.
class HeaderEncoder {
 public:
  /// Appends the header block. What is encoded has to be sent, in this order: the peer's table
  /// follows it.
  void encode(std::span<const Header> headers, std::string& out);
  /// The peer's SETTINGS_HEADER_TABLE_SIZE.
  void limit_table(std::uint32_t bytes);

 private:
  struct Entry {
    const char* name;
    const char* value;
    std::size_t bytes;
  };

  void encode(const Header& header, std::string& out);
  void tell_table_size(std::string& out);
  bool add_entry(const Header& header);

  std::vector<Entry> entries_;  // the newest last
  std::size_t bytes_ = 0;
  std::uint32_t most_bytes_ = kFirstTableBytes;
  std::uint32_t told_bytes_ = kFirstTableBytes;   // what the peer takes for most_bytes_
  std::uint32_t least_limit_ = kFirstTableBytes;  // since it was told
};

}  // namespace extproc::http2
