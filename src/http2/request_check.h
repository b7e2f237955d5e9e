#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace extproc::http2 {

/// What a header counts for against SETTINGS_MAX_HEADER_LIST_SIZE.
inline std::size_t list_bytes(std::string_view name, std::string_view value) {
  constexpr std::size_t kOverhead = 32;
  return name.size() + value.size() + kOverhead;
}

/// Whether the headers of a request, or its trailers, are such as RFC 9113, sections 8.2 and 8.3,
/// asks for; a request that is not is to be reset.
///
/// A few bytes of HPACK can stand for as much text as one likes. What is beyond a limit is not
/// looked at: such a request passes, for its handler to refuse it as too large.
class RequestCheck {
 public:
  enum class Part : std::uint8_t { headers, trailers };

  /// Begins with nothing seen. `most_bytes` is in list_bytes().
  RequestCheck(Part part, std::size_t most_bytes) : part_(part), bytes_left_(most_bytes) {}

  void add(std::string_view name, std::string_view value);
  /// To be asked when all were added.
  bool passed() const;
  /// What the body has to have, in bytes.
  std::optional<std::int64_t> content_length() const { return content_length_; }

 private:
  enum Pseudo : std::uint8_t { kMethod = 1, kScheme = 2, kAuthority = 4, kPath = 8 };

  bool accepts(std::string_view name, std::string_view value);
  bool accepts_pseudo(std::string_view name, std::string_view value);
  bool accepts_content_length(std::string_view value);

  Part part_;
  std::size_t bytes_left_;
  bool too_large_ = false;
  std::uint8_t pseudo_ = 0;  // those seen
  bool regular_ = false;     // one was seen
  bool connect_ = false;
  bool wrong_ = false;
  std::optional<std::int64_t> content_length_;
};

}  // namespace extproc::http2
