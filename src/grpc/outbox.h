#pragma once

#include <cstddef>
#include <string>

#include "grpc/buffer_pool.h"

namespace extproc::grpc {

/// The answers of one call that wait to be written, each with its prefix.
class Outbox {
 public:
  std::size_t pending() const { return bytes_.size() - sent_; }
  /// What it counts for against the connection's limit.
  std::size_t weight() const { return BufferPool::weight(bytes_); }

  /// Where the next message is to be appended.
  std::string& begin_message(BufferPool& buffers);
  /// Completes it.
  void end_message(BufferPool& buffers);

  /// Appends the first `count` pending bytes to `out` and drops them.
  void move_to(std::string& out, std::size_t count, BufferPool& buffers);
  /// Drops everything.
  void clear(BufferPool& buffers);

 private:
  std::string bytes_;
  std::size_t sent_ = 0;
  std::size_t message_ = 0;  // begin of the message that is being appended
};

}  // namespace extproc::grpc
