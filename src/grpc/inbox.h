#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "grpc/buffer_pool.h"
#include "grpc/call.h"
#include "grpc/frame.h"

namespace extproc::grpc {

/// The bytes of one call that could not be delivered at once: complete messages that wait, then
/// perhaps the beginning of one. Most calls never put anything in, and have no more than a pointer.
class Inbox {
 public:
  bool empty() const { return stored_ == nullptr; }
  bool has_message() const { return !empty() && stored_->begin < stored_->partial; }
  bool has_partial() const { return !empty() && stored_->partial_size() > 0; }
  /// By when the message that has begun to come has to be complete; nothing where none has, or it
  /// has time.
  std::optional<Clock::time_point> partial_end() const {
    return has_partial() ? stored_->partial_end : std::nullopt;
  }
  void end_partial_by(std::optional<Clock::time_point> time) {
    if (!empty()) stored_->partial_end = time;
  }
  /// What it counts for against the connection's limit.
  std::size_t weight() const { return empty() ? 0 : BufferPool::weight(stored_->bytes); }

  struct Appended {
    std::size_t bytes;
    /// The prefix that these bytes completed: to be checked before more is appended.
    std::optional<FramePrefix> prefix;
  };
  /// Takes bytes from the front of `chunk` until the partial message's prefix, or the message, is
  /// complete.
  Appended append(std::string_view chunk, BufferPool& buffers);

  /// The first message that waits. Valid until the next call of another function.
  std::string_view front() const;
  /// Drops it; returns its bytes with the prefix.
  std::size_t pop(BufferPool& buffers);
  /// Drops everything.
  void clear(BufferPool& buffers);

 private:
  struct Stored {
    std::string bytes;
    std::size_t begin = 0;    ///< of the first message that waits
    std::size_t partial = 0;  ///< begin of the partial message, end of those that wait

    std::optional<Clock::time_point> partial_end{};

    std::size_t partial_size() const { return bytes.size() - partial; }
    std::optional<FramePrefix> partial_prefix() const;
    void make_room(std::size_t more, std::size_t whole, BufferPool& buffers);
  };

  std::unique_ptr<Stored> stored_;  // while there are bytes
};

}  // namespace extproc::grpc
