#include "rules/header_rules.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace extproc::rules {
namespace {

/// Names are tokens of RFC 9110; who asks has mostly turned them to lower case, as HTTP/2 has them.
constexpr std::array<bool, 256> make_token_characters() {
  std::array<bool, 256> is_token{};
  for (unsigned c = 'a'; c <= 'z'; ++c) is_token[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) is_token[c] = true;
  for (unsigned c = '0'; c <= '9'; ++c) is_token[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    is_token[static_cast<unsigned char>(c)] = true;
  return is_token;
}

constexpr auto kTokenCharacters = make_token_characters();

constexpr bool valid_in_value(unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\t'; }

/// Whether one of the eight bytes may be a control character; a byte that follows one can be taken
/// for another.
constexpr bool may_have_control(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes << 7;
  const std::uint64_t deletes = bytes ^ (kOnes * 0x7f);
  return ((((bytes - kOnes * 0x20) & ~bytes) | ((deletes - kOnes) & ~deletes)) & kHighs) != 0;
}

// Inlined into the loop over an answer's headers, most of which are short.
[[gnu::always_inline]] inline bool header_value(std::string_view value) {
  for (; value.size() >= sizeof(std::uint64_t); value.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, value.data(), sizeof bytes);
    if (may_have_control(bytes)) break;
  }
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return valid_in_value(static_cast<unsigned char>(c)); });
}

// Most of what it costs to check an answer.
[[gnu::always_inline]] inline bool valid(std::string_view name, std::string_view value) {
  const std::string_view name_part = is_pseudo_header(name) ? name.substr(1) : name;
  return is_token(name_part) && header_value(value);
}

Rule rule_of(HeaderVerdict verdict) {
  switch (verdict) {
    case HeaderVerdict::never_removed:
      return Rule::header_not_removable;
    case HeaderVerdict::never_appended:
      return Rule::header_not_appendable;
    default:
      return Rule::header_denied;
  }
}

}  // namespace

bool is_token(std::string_view name) {
  bool valid = !name.empty();
  for (const char c : name) valid &= kTokenCharacters[static_cast<unsigned char>(c)];
  return valid;
}

bool is_header_value(std::string_view value) { return header_value(value); }

MutationCount count(const HeaderMutation& mutation) {
  MutationCount counted;
  for (std::size_t i = 0; i < mutation.size(); ++i)
    ++(mutation.at(i).operation == Operation::remove ? counted.removes : counted.sets);
  return counted;
}

bool check_mutation(const HeaderMutation& mutation, bool replaces_message,
                    const FilterSettings& filter, ViolationListener& listener, bool inside_envoy) {
  const HeaderRules rules = header_rules(filter);
  std::size_t removes = 0;
  bool all_made = true;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation == Operation::remove) ++removes;
    const HeaderVerdict verdict = header_verdict(operation, name, replaces_message, rules);
    // Of what is never removed Envoy does not look at the characters.
    if (verdict != HeaderVerdict::never_removed && !valid(name, value)) {
      listener.on_violation(Rule::header_invalid, name);
    } else if (verdict != HeaderVerdict::made) {
      listener.on_violation(rule_of(verdict), name);
    } else {
      if (inside_envoy && value.empty() && operation != Operation::remove)
        listener.on_violation(Rule::header_empty, name);
      continue;
    }
    all_made = false;
  }
  if (removes > kMostMutations || mutation.size() - removes > kMostMutations) {
    listener.on_violation(Rule::too_many_mutations, {});
  }
  return all_made;
}

void leave_out_refused(HeaderMutation& mutation, bool replaces_message,
                       const FilterSettings& filter) {
  const HeaderRules rules = header_rules(filter);
  const auto made = [&](const HeaderMutation::Entry& entry) {
    return header_verdict(entry.operation, entry.name, replaces_message, rules) ==
               HeaderVerdict::made &&
           valid(entry.name, entry.value);
  };
  HeaderMutation kept;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    if (made(mutation.at(i))) kept.add(mutation.at(i));
  }
  mutation = std::move(kept);
}

}  // namespace extproc::rules
