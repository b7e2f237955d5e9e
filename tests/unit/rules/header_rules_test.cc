// What becomes of each change of each kind of header, under each set of rules.
#include "rules/header_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace extproc::rules {
namespace {

using Operation = HeaderMutation::Operation;
using enum HeaderVerdict;

/// The same said once more, without what makes it fast.
HeaderVerdict expected(Operation operation, std::string_view name, bool replaces,
                       const HeaderRules& rules) {
  const bool pseudo = name.starts_with(':');
  if (operation == Operation::remove && (pseudo || name == "host")) return never_removed;
  if (operation != Operation::remove && replaces && name == ":method") return made;
  if (rules.disallow_all) return all_denied;
  if (operation == Operation::append && pseudo) return never_appended;
  const bool routes =
      name == "host" || name == ":authority" || name == ":method" || name == ":scheme";
  if (routes && !rules.allow_all_routing) return needs_routing;
  if (pseudo && rules.disallow_system) return system_denied;
  return name.starts_with("x-envoy") && !rules.allow_envoy ? needs_envoy : made;
}

TEST(HeaderRules, EachChangeUnderEachSetOfRules) {
  int compared = 0;
  for (unsigned bits = 0; bits < 32; ++bits) {
    const HeaderRules rules{.allow_all_routing = (bits & 1U) != 0,
                            .allow_envoy = (bits & 2U) != 0,
                            .disallow_system = (bits & 4U) != 0,
                            .disallow_all = (bits & 8U) != 0};
    const bool replaces = (bits & 16U) != 0;
    for (const auto operation : {Operation::set, Operation::append, Operation::remove}) {
      for (const std::string_view name :
           {"", ":", ":path", ":method", ":authority", ":scheme", ":status", ":other", "host",
            "hosts", "h", "x", "x-envo", "x-envoy", "x-envoy-a", "x-envoyfoo", "a",
            "content-length"}) {
        EXPECT_EQ(header_verdict(operation, name, replaces, rules),
                  expected(operation, name, replaces, rules))
            << static_cast<int>(operation) << " " << name << " " << bits;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 32 * 3 * 18);
}

TEST(HeaderRules, WhatNoRuleChangesIsTheSameUnderAll) {
  for (const auto operation : {Operation::set, Operation::append, Operation::remove}) {
    for (const std::string_view name : {":path", ":method", "host", "a"}) {
      for (const bool replaces : {false, true}) {
        const auto fixed = fixed_verdict(operation, name, replaces);
        if (!fixed) continue;
        EXPECT_EQ(header_verdict(operation, name, replaces, {}), *fixed);
        EXPECT_EQ(header_verdict(operation, name, replaces, {.disallow_all = true}), *fixed);
      }
    }
  }
}

TEST(HeaderRules, EachByteOfANameAndOfAValue) {
  for (int c = 0; c < 256; ++c) {
    const bool control = c < 0x20 || c == 0x7f;
    const bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) !=
                                      std::string_view::npos);
    // At each place of what is looked at eight bytes at a time, and of what is left over.
    for (const std::size_t size : {1, 7, 8, 9, 15, 16, 20}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(c);
        EXPECT_EQ(is_header_value(text), !control || c == '\t') << c << " at " << at;
        EXPECT_EQ(is_token(text), token) << c << " at " << at << " of " << size;
      }
    }
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_TRUE(is_header_value(""));
}

}  // namespace
}  // namespace extproc::rules
