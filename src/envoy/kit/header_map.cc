#include "envoy/kit/header_map.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "rules/header_rules.h"

namespace extproc::testing::envoy {
namespace {

// The names that Envoy keeps one entry of, besides its own x-envoy-*, as observed: a second value
// is appended to the first with a comma.
constexpr std::array<std::string_view, 11> kJoinedEverywhere = {
    "cache-control", "connection", "content-encoding", "content-length",
    "content-type",  "keep-alive", "proxy-status",     "transfer-encoding",
    "upgrade",       "via",        "x-request-id"};
constexpr std::array<std::string_view, 28> kJoinedInRequests = {":authority",
                                                                ":method",
                                                                ":path",
                                                                ":scheme",
                                                                "accept",
                                                                "accept-encoding",
                                                                "access-control-request-headers",
                                                                "authorization",
                                                                "expect",
                                                                "access-control-request-method",
                                                                "grpc-timeout",
                                                                "if-match",
                                                                "if-modified-since",
                                                                "if-none-match",
                                                                "if-range",
                                                                "if-unmodified-since",
                                                                "origin",
                                                                "pragma",
                                                                "proxy-connection",
                                                                "referer",
                                                                "te",
                                                                "user-agent",
                                                                "x-client-trace-id",
                                                                "x-forwarded-for",
                                                                "x-forwarded-client-cert",
                                                                "x-forwarded-host",
                                                                "x-forwarded-port",
                                                                "x-forwarded-proto"};
constexpr std::array<std::string_view, 17> kJoinedInResponses = {":status",
                                                                 "access-control-allow-credentials",
                                                                 "access-control-allow-headers",
                                                                 "access-control-allow-methods",
                                                                 "access-control-allow-origin",
                                                                 "access-control-expose-headers",
                                                                 "access-control-max-age",
                                                                 "age",
                                                                 "date",
                                                                 "etag",
                                                                 "expires",
                                                                 "grpc-message",
                                                                 "grpc-status",
                                                                 "last-modified",
                                                                 "location",
                                                                 "server",
                                                                 "vary"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_joined(HeaderKind kind, std::string_view name) {
  if (is_trailers(kind))
    return kind == HeaderKind::response_trailers &&
           (name == "grpc-message" || name == "grpc-status");
  return contains(kJoinedEverywhere, name) ||
         (kind == HeaderKind::request ? contains(kJoinedInRequests, name)
                                      : contains(kJoinedInResponses, name));
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// Envoy takes an empty name as well, but not a colon alone.
bool is_header_name(std::string_view name) {
  if (name == ":") return false;
  if (name.starts_with(':')) name.remove_prefix(1);
  return name.empty() || rules::is_token(name);
}

bool is_authority(std::string_view value) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:[]%@";
  return std::all_of(value.begin(), value.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           kOthers.find(c) != std::string_view::npos;
  });
}

HeaderMap::HeaderMap(HeaderKind kind, const HeaderList& entries) : kind_(kind) {
  for (const auto& [name, value] : entries) {
    const std::string lower = lower_case(name);
    // HTTP/2 sends the crumbs of a cookie in entries of their own.
    const bool is_crumb = !is_trailers(kind) && lower == "cookie";
    if (auto* cookie = is_crumb ? find(lower) : nullptr) {
      cookie->append("; ").append(value);
    } else if (!is_crumb || !value.empty()) {
      add(lower, value);
    }
  }
}

std::string_view HeaderMap::known_as(std::string_view name) const {
  return kind_ == HeaderKind::request && name == "host" ? ":authority" : name;
}

std::string* HeaderMap::find(std::string_view name) {
  for (auto& [existing, value] : entries_)
    if (existing == known_as(name)) return &value;
  return nullptr;
}

const std::string* HeaderMap::get(std::string_view name) const {
  return const_cast<HeaderMap*>(this)->find(name);
}

void HeaderMap::add(std::string_view name, std::string_view value) {
  name = known_as(name);
  if (is_joined(kind_, name)) {
    if (auto* joined = find(name)) {
      if (!joined->empty() && !value.empty()) joined->append(",");
      joined->append(value);
      return;
    }
  }
  const auto end =
      name.starts_with(':')
          ? std::find_if(entries_.begin(), entries_.end(),
                         [](const auto& entry) { return !entry.first.starts_with(':'); })
          : entries_.end();
  entries_.emplace(end, name, value);
}

void HeaderMap::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void HeaderMap::remove(std::string_view name) {
  std::erase_if(entries_,
                [name = known_as(name)](const auto& entry) { return entry.first == name; });
}

std::size_t HeaderMap::byte_size() const {
  std::size_t bytes = 0;
  for (const auto& [name, value] : entries_) bytes += name.size() + value.size();
  return bytes;
}

}  // namespace extproc::testing::envoy
