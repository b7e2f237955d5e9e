#include "testing/envoy/header_map.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace extproc::testing::envoy {
namespace {

constexpr std::array<std::string_view, 1> kJoinedEverywhere = {"content-type"};

// Those that a user may meet; Envoy's own x-envoy-* are joined as well, and may not be set by default.
constexpr std::array<std::string_view, 1> kJoinedInRequests = {"user-agent"};
constexpr std::array<std::string_view, 1> kJoinedInResponses = {"location"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_joined(HeaderKind kind, std::string_view name) {
  if (kind == HeaderKind::trailers) return false;
  return contains(kJoinedEverywhere, name) ||
         (kind == HeaderKind::request ? contains(kJoinedInRequests, name)
                                      : contains(kJoinedInResponses, name));
}

bool is_token(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         kOthers.find(c) != std::string_view::npos;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool is_header_name(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token);
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

bool is_authority(std::string_view value) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:[]%@";
  return std::all_of(value.begin(), value.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           kOthers.find(c) != std::string_view::npos;
  });
}

HeaderMap::HeaderMap(HeaderKind kind, const HeaderList& entries) : kind_(kind) {
  for (const auto& [name, value] : entries) add(lower_case(name), value);
}

const std::string* HeaderMap::get(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == entries_.end() ? nullptr : &found->second;
}

void HeaderMap::add(std::string_view name, std::string_view value) {
  if (is_joined(kind_, name)) {
    for (auto& [existing, joined] : entries_) {
      if (existing != name) continue;
      joined.append(",").append(value);
      return;
    }
  }
  const auto end = name.starts_with(':')
                       ? std::find_if(entries_.begin(), entries_.end(),
                                      [](const auto& entry) { return entry.first[0] != ':'; })
                       : entries_.end();
  entries_.emplace(end, name, value);
}

void HeaderMap::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void HeaderMap::remove(std::string_view name) {
  std::erase_if(entries_, [name](const auto& entry) { return entry.first == name; });
}

std::size_t HeaderMap::byte_size() const {
  std::size_t bytes = 0;
  for (const auto& [name, value] : entries_) bytes += name.size() + value.size();
  return bytes;
}

}  // namespace extproc::testing::envoy
