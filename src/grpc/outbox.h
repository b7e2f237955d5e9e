#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "grpc/buffer_pool.h"
#include "http2/output.h"

namespace extproc::grpc {

/// The answers of one call that wait to be written, each with its prefix. Large ones are written
/// from where they lie.
class Outbox {
 public:
  std::size_t pending() const { return (large_ ? large_->pending : 0) + bytes_.size() - sent_; }
  /// What it counts for against the connection's limit.
  std::size_t weight() const { return (large_ ? large_->weight : 0) + BufferPool::weight(bytes_); }

  /// Where the next message is to be appended.
  std::string& begin_message(BufferPool& buffers);
  /// Completes it.
  void end_message(BufferPool& buffers);
  /// Completes it with `tail`, which is not copied, behind it.
  void end_message_with(std::string tail, BufferPool& buffers);

  /// Appends the first `count` pending bytes to `out` and drops them. `buffers` must outlive what
  /// is in `out`.
  void move_to(http2::Output& out, std::size_t count, BufferPool& buffers);
  /// Drops the messages of which nothing was moved yet.
  void drop_unbegun(BufferPool& buffers);
  /// Drops everything.
  void clear(BufferPool& buffers);

 private:
  using Shared = std::shared_ptr<const std::string>;
  /// Buffers that go out before `bytes_`, one after another. They are not changed any more, as an
  /// Output may have slices of them.
  struct Large {
    std::deque<Shared> buffers;
    std::size_t sent = 0;  // of the first
    std::size_t pending = 0;
    std::size_t weight = 0;
  };

  const char* pending_at(std::size_t offset) const;
  void follow_messages(std::size_t count);
  void write_prefix(std::size_t tail_bytes);
  void set_aside_if_large(BufferPool& buffers);
  void set_aside_bytes(BufferPool& buffers);
  void set_aside(Shared buffer, std::size_t sent);
  void give_back(BufferPool& buffers);

  std::unique_ptr<Large> large_;  // while there are any: most calls never have
  std::string bytes_;
  std::size_t sent_ = 0;
  // Of one message, which protobuf bounds by 2 GiB: a stream that is idle keeps them too.
  std::uint32_t message_ = 0;     // begin of the one that is being appended
  std::uint32_t begun_left_ = 0;  // of the one whose first bytes were moved, those that were not
};

}  // namespace extproc::grpc
