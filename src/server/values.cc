#include "server/values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "base/header_name.h"
#include "extproc/error.h"
#include "server/listen_address.h"

namespace extproc::server {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower_case);
  return result;
}

template <class T, std::size_t N>
std::optional<T> find(const std::array<std::pair<std::string_view, T>, N>& table,
                      std::string_view text) {
  const std::string key = lower(text);
  for (const auto& [name, value] : table) {
    if (name == key) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> parse_port(std::string_view text) {
  const auto port = parse_count(text);
  if (!port || *port > std::uint64_t{kHighestPort}) return std::nullopt;
  return static_cast<int>(*port);
}

std::optional<bool> parse_switch(std::string_view text) {
  static constexpr auto kTable = std::to_array<std::pair<std::string_view, bool>>({{"t", true},
                                                                                   {"true", true},
                                                                                   {"y", true},
                                                                                   {"yes", true},
                                                                                   {"1", true},
                                                                                   {"on", true},
                                                                                   {"f", false},
                                                                                   {"false", false},
                                                                                   {"n", false},
                                                                                   {"no", false},
                                                                                   {"0", false},
                                                                                   {"off", false}});
  return find(kTable, text);
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  static constexpr auto kTable =
      std::to_array<std::pair<std::string_view, LogLevel>>({{"debug", LogLevel::debug},
                                                            {"info", LogLevel::info},
                                                            {"warning", LogLevel::warning},
                                                            {"warn", LogLevel::warning},
                                                            {"error", LogLevel::error},
                                                            {"critical", LogLevel::critical},
                                                            {"off", LogLevel::off}});
  return find(kTable, text);
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
  static constexpr auto kTable = std::to_array<std::pair<std::string_view, LogFormat>>(
      {{"text", LogFormat::text}, {"json", LogFormat::json}});
  return find(kTable, text);
}

std::optional<std::string> parse_header_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
  std::string name = lower(text);
  const bool is_token = !name.empty() && name.find_first_not_of(kAllowed) == std::string::npos;
  if (!is_token || name == "host") return std::nullopt;
  return name;
}

std::optional<std::vector<std::string>> parse_header_names(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    // Pseudo-headers are told too.
    const std::string_view token = part.substr(part.starts_with(':') ? 1 : 0);
    if (token != "host" && !parse_header_name(token)) return std::nullopt;
    names.push_back(lower(part));
    begin = end + 1;
  }
  return names;
}

std::string plain_seconds(std::chrono::milliseconds time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", static_cast<double>(time.count()) / 1000);
  std::string seconds(text.data());
  seconds.erase(seconds.find_last_not_of('0') + 1);
  if (seconds.ends_with('.')) seconds.pop_back();
  return seconds;
}

std::string seconds_text(std::chrono::milliseconds time) { return plain_seconds(time) + " s"; }

void refuse_value(std::string_view setting, std::string_view value, std::string_view accepted) {
  throw Error(std::string(setting) + " is \"" + std::string(value) + "\": it must be " +
              std::string(accepted));
}

}  // namespace extproc::server
