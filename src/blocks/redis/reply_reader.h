#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/redis.h"

namespace extproc::redis {

/// What came is no RESP, or too much of it: the connection is of no use any more.
class ReplyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads replies of RESP2 and RESP3 from bytes that come in pieces.
class ReplyReader {
 public:
  /// `most_bytes`: what one reply may take in memory.
  explicit ReplyReader(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Takes from the front of `bytes` until a reply is complete, which is in `reply` then, and true;
  /// or all of them, and false. What a server sends unasked (a push), and what it says of a reply
  /// (an attribute), is read and left out. Throws ReplyError, and is of no use behind that.
  bool take(std::string_view& bytes, Value& reply);
  /// Behind a whole reply, and before the first byte of the next.
  bool between_replies() const { return line_.empty() && open_.empty() && !in_text_; }

 private:
  /// An aggregate that has begun.
  struct Open {
    Value value;
    /// Values that are missing.
    std::size_t missing;
    /// A push, or an attribute.
    bool left_out = false;
  };

  bool take_line(std::string_view& bytes);
  bool take_text(std::string_view& bytes);
  /// Whether there is a value in value_.
  bool read_line(std::string_view line);
  bool begin_text(char type, std::string_view length);
  bool begin_aggregate(char type, std::string_view length);
  /// Whether value_ is a whole reply now.
  bool add_value();
  void count(std::size_t bytes);

  std::size_t most_bytes_;
  std::size_t used_ = 0;
  std::string line_;
  std::vector<Open> open_;
  Value value_;
  bool in_text_ = false;
  bool verbatim_ = false;
  /// Of the text, and the line end behind it.
  std::size_t text_missing_ = 0;
};

}  // namespace extproc::redis
