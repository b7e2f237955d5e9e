// Bodies of multipart/form-data (RFC 7578, RFC 2046, 5.1).
#include "base/header_name.h"
#include "blocks/http_text.h"
#include "extproc/http.h"

namespace extproc::http {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// What `content-disposition: form-data; name="…"` says of a part.
bool read_disposition(FormPart& part, std::string_view value) {
  if (!same_name(trimmed(take_until(value, ';')), "form-data")) return false;
  bool has_name = false;
  while (!value.empty()) {
    const auto pair = cut(trimmed(take_until(value, ';')), '=');
    if (!pair) return false;
    if (same_name(pair->first, "name")) {
      part.name = unquoted(pair->second);
      has_name = true;
    } else if (same_name(pair->first, "filename")) {
      part.filename = unquoted(pair->second);
    }
  }
  return has_name;
}

/// A part is its headers, an empty line, and its content.
std::optional<FormPart> read_part(std::string_view text) {
  FormPart part;
  bool named = false;
  while (!text.starts_with(kLineEnd)) {
    const auto end = text.find(kLineEnd);
    if (end == std::string_view::npos) return std::nullopt;
    const auto header = cut(text.substr(0, end), ':');
    if (!header) return std::nullopt;
    if (same_name(header->first, "content-disposition")) {
      named = read_disposition(part, trimmed(header->second));
    } else if (same_name(header->first, "content-type")) {
      part.content_type = trimmed(header->second);
    }
    text.remove_prefix(end + kLineEnd.size());
  }
  if (!named) return std::nullopt;
  part.content = text.substr(kLineEnd.size());
  return part;
}

}  // namespace

std::optional<std::vector<FormPart>> parse_multipart(std::string_view body,
                                                     std::string_view boundary,
                                                     std::size_t most_parts) {
  if (boundary.empty() || boundary.size() > 70) return std::nullopt;
  const std::string inner = "\r\n--" + std::string(boundary);
  const std::string_view first = std::string_view(inner).substr(kLineEnd.size());
  // What is in front of the first boundary is for readers that know no multipart.
  if (body.starts_with(first)) {
    body.remove_prefix(first.size());
  } else if (const auto at = body.find(inner); at != std::string_view::npos) {
    body.remove_prefix(at + inner.size());
  } else {
    return std::nullopt;
  }
  std::vector<FormPart> parts;
  while (!body.starts_with("--")) {
    while (!body.empty() && is_blank(body.front())) body.remove_prefix(1);
    if (!body.starts_with(kLineEnd)) return std::nullopt;
    body.remove_prefix(kLineEnd.size());
    const auto end = body.find(inner);
    if (end == std::string_view::npos || parts.size() == most_parts) return std::nullopt;
    auto part = read_part(body.substr(0, end));
    if (!part) return std::nullopt;
    parts.push_back(*std::move(part));
    body.remove_prefix(end + inner.size());
  }
  return parts;
}

}  // namespace extproc::http
