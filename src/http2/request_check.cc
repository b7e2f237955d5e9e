#include "http2/request_check.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace extproc::http2 {
namespace {

using Check = int (*)(const std::uint8_t*, std::size_t);

bool passes(Check check, std::string_view text) {
  return check(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) != 0;
}

// Section 8.2.2: what concerns one connection of HTTP/1 has no meaning here.
bool is_of_a_connection(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace

void RequestCheck::add(std::string_view name, std::string_view value) {
  const std::size_t bytes = list_bytes(name, value);
  if (too_large_ || bytes > bytes_left_) {
    too_large_ = true;
    return;
  }
  bytes_left_ -= bytes;
  if (!accepts(name, value)) wrong_ = true;
}

bool RequestCheck::passed() const {
  if (wrong_) return false;
  if (too_large_ || part_ == Part::trailers) return true;
  if (connect_) return pseudo_ == (kMethod | kAuthority);
  constexpr std::uint8_t kNeeded = kMethod | kScheme | kPath;
  return (pseudo_ & kNeeded) == kNeeded;
}

bool RequestCheck::accepts(std::string_view name, std::string_view value) {
  if (name.starts_with(':')) return accepts_pseudo(name, value);
  regular_ = true;
  if (!passes(nghttp2_check_header_name, name) ||
      !passes(nghttp2_check_header_value_rfc9113, value) || is_of_a_connection(name))
    return false;
  if (name == "te") return value == "trailers";
  if (name == "content-length" && part_ == Part::headers) return accepts_content_length(value);
  return true;
}

bool RequestCheck::accepts_pseudo(std::string_view name, std::string_view value) {
  if (part_ == Part::trailers || regular_) return false;
  const auto once = [this](Pseudo which) {
    const bool first = (pseudo_ & which) == 0;
    pseudo_ |= which;
    return first;
  };
  if (name == ":method") {
    connect_ = value == "CONNECT";
    return once(kMethod) && passes(nghttp2_check_method, value);
  }
  if (name == ":scheme") return once(kScheme) && passes(nghttp2_check_header_name, value);
  // Envoy's gRPC health checks have the name of the cluster there, and Envoy Gateway's names have
  // slashes, Istio's bars: what a path may have, in place of what an authority may.
  if (name == ":authority") return once(kAuthority) && passes(nghttp2_check_path, value);
  if (name == ":path") {
    return once(kPath) && passes(nghttp2_check_path, value) &&
           (value.starts_with('/') || value == "*");
  }
  return false;
}

bool RequestCheck::accepts_content_length(std::string_view value) {
  if (content_length_ || value.starts_with('-')) return false;
  std::int64_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc() || end != value.data() + value.size()) return false;
  content_length_ = length;
  return true;
}

}  // namespace extproc::http2
