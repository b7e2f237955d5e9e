#include "processor/header_rules.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace extproc::detail {
namespace {

enum CharacterClass : std::uint8_t { kName = 1, kValue = 2 };

/// What a character may be part of. Names are tokens of RFC 9110, in lower case as HTTP/2 has them;
/// values are anything but control characters, tab excepted.
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
    if (!control) classes[c] |= kValue;
    const bool token =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
        std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    if (token) classes[c] |= kName;
  }
  return classes;
}

constexpr auto kClasses = make_classes();

bool all_are(CharacterClass wanted, std::string_view text) {
  std::uint8_t common = wanted;
  for (const char c : text) common &= kClasses[static_cast<unsigned char>(c)];
  return common != 0;
}

bool valid(std::string_view name, std::string_view value) {
  const std::string_view token = is_pseudo_header(name) ? name.substr(1) : name;
  return !token.empty() && all_are(kName, token) && all_are(kValue, value);
}

}  // namespace

void check_mutation(const HeaderMutation& mutation, bool replaces_message,
                    const FilterSettings& filter, ViolationListener& listener) {
  std::size_t removes = 0;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation == HeaderMutation::Operation::remove) {
      ++removes;
      if (!header_removable(name)) {
        listener.on_violation(Rule::header_not_removable, name);
      } else if (!valid(name, {})) {
        listener.on_violation(Rule::header_invalid, name);
      } else if (header_denied(name, replaces_message, filter)) {
        listener.on_violation(Rule::header_denied, name);
      }
    } else if (!valid(name, value)) {
      listener.on_violation(Rule::header_invalid, name);
    } else if (operation == HeaderMutation::Operation::append && is_pseudo_header(name)) {
      listener.on_violation(Rule::header_not_appendable, name);
    } else if (header_denied(name, replaces_message, filter)) {
      listener.on_violation(Rule::header_denied, name);
    }
  }
  if (removes > kMostMutations || mutation.size() - removes > kMostMutations) {
    listener.on_violation(Rule::too_many_mutations, {});
  }
}

}  // namespace extproc::detail
