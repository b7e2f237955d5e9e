#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

namespace extproc {

/// One header as it came: `envoy.config.core.v3.HeaderValue`. The value is the bytes of
/// `raw_value`, or of `value` where an Envoy before 1.27 sends that; it need not be UTF-8.
struct Header {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// A read-only list of headers in the order in which Envoy sent them; a repeated header has several
/// entries. What it and its views refer to lives as long as the handler that was given it runs,
/// awaits included.
class EXTPROC_API HeaderView {
 public:
  using value_type = Header;
  using const_iterator = std::span<const Header>::iterator;

  HeaderView() = default;
  explicit HeaderView(std::span<const Header> entries) : entries_(entries) {}

  /// The first value of `name`, in whatever case it is asked, or nothing.
  std::optional<std::string_view> value(std::string_view name) const;

  /// Every value of `name`, in order.
  std::vector<std::string_view> values(std::string_view name) const;

  /// For each pair (header name, key) one entry: key to the header's first value, or to nothing
  /// where it is missing. The name is the Python SDK's.
  std::map<std::string, std::optional<std::string_view>, std::less<>> get_headers(
      std::span<const std::pair<std::string_view, std::string_view>> names) const;
  std::map<std::string, std::optional<std::string_view>, std::less<>> get_headers(
      std::initializer_list<std::pair<std::string_view, std::string_view>> names) const {
    return get_headers(std::span(names.begin(), names.size()));
  }

  [[deprecated("use value(name)")]] std::optional<std::string_view> get_header(
      std::string_view name) const {
    return value(name);
  }
  [[deprecated("use values(name)")]] std::vector<std::string_view> get_all(
      std::string_view name) const {
    return values(name);
  }

  const_iterator begin() const { return entries_.begin(); }
  const_iterator end() const { return entries_.end(); }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  std::span<const Header> entries_;
};

/// The headers of the request or the response: `envoy.service.ext_proc.v3.HttpHeaders`.
/// Pseudo-headers (":method", ":path",
/// ":status") are among them.
class HttpHeaders : public HeaderView {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::span<const Header> entries, bool end_of_stream)
      : HeaderView(entries), end_of_stream_(end_of_stream) {}

  /// No body and no trailers follow.
  bool end_of_stream() const { return end_of_stream_; }

 private:
  bool end_of_stream_ = false;
};

/// The trailers of the request or the response: `envoy.service.ext_proc.v3.HttpTrailers`.
class HttpTrailers : public HeaderView {
 public:
  using HeaderView::HeaderView;
};

}  // namespace extproc
