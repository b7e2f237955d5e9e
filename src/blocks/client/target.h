#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "extproc/client.h"

namespace extproc::client {

/// Where connections go.
struct Origin {
  bool secure = false;
  /// A name or an address; an address of IPv6 without its brackets.
  std::string host;
  std::uint16_t port = 0;

  /// "https://host:443"
  std::string text() const;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

struct Target {
  Origin origin;
  /// As the header `host` has it.
  std::string authority;
  /// "/path?query"
  std::string path;
};

/// Throws Failure of Reason::request.
Target parse_target(std::string_view url);

/// The request as it goes out. Throws Failure of Reason::request for a method or headers that are
/// none, or that are the client's own.
std::string request_text(const Request& request, const Target& target);

bool same_name(std::string_view a, std::string_view b);

}  // namespace extproc::client
