#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "extproc/testing.h"

namespace extproc::testing::envoy {

/// What kind of header block a map is; some headers are joined in some of them.
enum class HeaderKind : std::uint8_t { request, response, request_trailers, response_trailers };
constexpr bool is_trailers(HeaderKind kind) { return kind >= HeaderKind::request_trailers; }

/// Headers as Envoy keeps them: pseudo-headers first, names in lower case, and the few names that
/// it knows joined into one entry.
class HeaderMap {
 public:
  HeaderMap() = default;
  HeaderMap(HeaderKind kind, const HeaderList& entries);

  /// Null where there is none; else the first value.
  const std::string* get(std::string_view name) const;
  void add(std::string_view name, std::string_view value);
  /// Overwrites; a repeated header becomes one.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  std::size_t size() const { return entries_.size(); }
  std::size_t byte_size() const;
  const HeaderList& entries() const { return entries_; }

  /// The connection manager's limits; none for a reply that Envoy makes itself.
  std::size_t max_count = std::numeric_limits<std::size_t>::max();
  std::size_t max_bytes = std::numeric_limits<std::size_t>::max();

 private:
  /// In a request, `host` is another name of `:authority`.
  std::string_view known_as(std::string_view name) const;
  std::string* find(std::string_view name);

  HeaderKind kind_ = HeaderKind::request;
  HeaderList entries_;
};

std::string lower_case(std::string_view text);
bool is_header_name(std::string_view name);
bool is_authority(std::string_view value);

}  // namespace extproc::testing::envoy
