#include "envoy/yaml_node.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace extproc::envoy_config {
namespace {

/// 0 where there is none.
std::optional<std::int64_t> whole_number(const Field& field) {
  if (!field) return 0;
  constexpr std::int64_t kMost = 9'000'000'000;
  std::int64_t number = 0;
  const bool is_number = YAML::convert<std::int64_t>::decode(field.value, number);
  return is_number && number >= 0 && number <= kMost ? std::optional(number) : std::nullopt;
}

bool has_upper_case(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

std::string snake_case(std::string_view name) {
  std::string snake;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isupper(byte) != 0) snake += '_';
    snake += static_cast<char>(std::tolower(byte));
  }
  return snake;
}

Field field(const YAML::Node& message, std::string_view name) {
  if (message.IsDefined() && message.IsMap()) {
    for (const auto& entry : message) {
      if (!entry.first.IsScalar() || entry.second.IsNull()) continue;
      const std::string& key = entry.first.Scalar();
      if (key == name || (has_upper_case(key) && snake_case(key) == name))
        return {entry.first, entry.second};
    }
  }
  return {};
}

YAML::Node at(const YAML::Node& message, std::initializer_list<std::string_view> path) {
  YAML::Node node = message;
  // A node that is assigned to changes what it refers to.
  for (const std::string_view name : path) node.reset(field(node, name).value);
  return node;
}

std::vector<YAML::Node> items(const YAML::Node& node) {
  if (!node.IsDefined()) return {};
  if (!node.IsSequence()) return {node};
  return {node.begin(), node.end()};
}

std::optional<std::uint64_t> number(const YAML::Node& node) {
  const std::string digits = text(node);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number =
      !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
  return is_number ? std::optional(number) : std::nullopt;
}

std::string text(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : std::string();
}

bool is_true(const YAML::Node& node) { return text(node) == "true"; }

std::optional<std::chrono::nanoseconds> duration(const YAML::Node& node) {
  using std::chrono::nanoseconds;
  if (node.IsDefined() && node.IsMap()) {
    const auto number = [&](std::string_view name) { return whole_number(field(node, name)); };
    const auto seconds = number("seconds");
    const auto nanos = number("nanos");
    if (!seconds || !nanos) return std::nullopt;
    return std::chrono::seconds(*seconds) + nanoseconds(*nanos);
  }
  const std::string value = text(node);
  if (value.size() < 2 || value.back() != 's') return std::nullopt;
  if (value.find_first_not_of("0123456789.") != value.size() - 1) return std::nullopt;
  char* end = nullptr;
  const double seconds = std::strtod(value.c_str(), &end);
  constexpr double kMostSeconds = 9e9;
  if (end != value.c_str() + value.size() - 1 || seconds > kMostSeconds) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

bool has_type(const YAML::Node& node, std::string_view name) {
  const std::string type = text(at(node, {"@type"}));
  return type.size() > name.size() && type.ends_with(name) &&
         type[type.size() - name.size() - 1] == '.';
}

}  // namespace extproc::envoy_config
