#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::filter {

class Stream;

/// The filters of this file that one HTTP stream passes and whose handlers may wait for bodies, in
/// the order of the listener. What Envoy keeps of a body it keeps for all of them in one place, and
/// has no word for which of them waits for what of it; so each finds those in front of it by a mark
/// that the request carries. All calls are on the worker of the stream.
class Neighbours {
 public:
  /// Those of a mark among `marks`; null where there are none. Callers may send what looks like
  /// one: each counts on the connection that it was made for.
  static std::shared_ptr<Neighbours> find(std::string_view marks, std::uint64_t connection);
  static std::shared_ptr<Neighbours> make(std::uint64_t connection);
  ~Neighbours();
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

  /// As a header of HTTP may have it; without commas.
  std::string mark() const;

  void join(const Stream& stream) { streams_.push_back(&stream); }
  void leave(const Stream& stream) { std::erase(streams_, &stream); }
  /// Those that something of the request passes before the stream does, or the response.
  std::span<const Stream* const> before(const Stream& stream, bool is_request) const {
    return is_request ? in_front(stream) : behind(stream);
  }
  /// The same, after it.
  std::span<const Stream* const> after(const Stream& stream, bool is_request) const {
    return is_request ? behind(stream) : in_front(stream);
  }

 private:
  std::span<const Stream* const> in_front(const Stream& stream) const {
    return {streams_.begin(), std::ranges::find(streams_, &stream)};
  }
  std::span<const Stream* const> behind(const Stream& stream) const {
    const auto at = std::ranges::find(streams_, &stream);
    return {at == streams_.end() ? at : at + 1, streams_.end()};
  }

  Neighbours(std::uint64_t id, std::uint64_t connection) : id_(id), connection_(connection) {}

  const std::uint64_t id_;
  const std::uint64_t connection_;
  std::vector<const Stream*> streams_;
};

}  // namespace extproc::filter
