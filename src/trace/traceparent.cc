#include "trace/traceparent.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "trace/hex.h"

namespace extproc::trace {
namespace {

/// "00-" trace id "-" span id "-" flags.
constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kSpanIdAt = 36;
constexpr std::size_t kFlagsAt = 53;
/// Sampled, and that the trace id is random.
constexpr std::uint8_t kKnownFlags = 3;

constexpr std::size_t kMostMembers = 32;
constexpr std::size_t kMostOfKey = 256;
constexpr std::size_t kMostOfValue = 256;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_key(std::string_view key) {
  const auto begins = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto goes_on = [&](char c) {
    return begins(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
  };
  return !key.empty() && key.size() <= kMostOfKey && begins(key.front()) &&
         std::ranges::all_of(key, goes_on) && std::ranges::count(key, '@') <= 1 &&
         key.back() != '@';
}

bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= kMostOfValue && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < kTraceparentSize) return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext context;
  if (!read_hex(text, version) || version[0] == 0xff) return std::nullopt;
  if (version[0] == 0 ? text.size() != kTraceparentSize
                      : text.size() > kTraceparentSize && text[kTraceparentSize] != '-')
    return std::nullopt;
  if (text[kTraceIdAt - 1] != '-' || text[kSpanIdAt - 1] != '-' || text[kFlagsAt - 1] != '-')
    return std::nullopt;
  if (!read_hex(text.substr(kTraceIdAt), context.trace_id) ||
      !read_hex(text.substr(kSpanIdAt), context.span_id) || !read_hex(text.substr(kFlagsAt), flags))
    return std::nullopt;
  if (!is_set(context.trace_id) || !is_set(context.span_id)) return std::nullopt;
  context.flags = flags[0] & kKnownFlags;
  return context;
}

bool is_tracestate(std::string_view text) {
  if (text.size() > kMostTracestate) return false;
  std::array<std::string_view, kMostMembers> keys;
  std::size_t members = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view member = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1)) || members == kMostMembers)
      return false;
    const auto seen = std::span(keys).first(members);
    if (std::ranges::find(seen, key) != seen.end()) return false;
    keys[members++] = key;
  }
  return true;
}

}  // namespace extproc::trace
