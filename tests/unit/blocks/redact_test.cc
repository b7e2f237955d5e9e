// Literals and patterns taken out of bodies, in every cut as in none, and against what is said of
// it by hand.
#include "extproc/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/error.h"

namespace extproc {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string redacted(const Redaction& redaction, const std::vector<std::string>& pieces) {
  Redactor redactor(redaction);
  std::string out;
  for (const std::string& piece : pieces) out += redactor.redact(piece, false);
  out += redactor.redact("", true);
  out += redactor.redact("", true);
  return out;
}

void expect_in_every_cut(const Redaction& redaction, const std::string& text,
                         const std::string& expected) {
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  ASSERT_EQ(redacted(redaction, {text}), expected);
  ASSERT_EQ(redacted(redaction, bytes), expected);
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); b += 3) {
      ASSERT_EQ(redacted(redaction, {text.substr(0, a), text.substr(a, b - a), text.substr(b)}),
                expected)
          << a << ' ' << b;
    }
  }
}

TEST(Redact, SecretsAreFoundInEveryCut) {
  const Redaction redaction({{.literal = "hunter2"},
                             {.pattern = R"(\bsk-[a-z0-9]{4,8}\b)", .replacement = "[key]"},
                             {.pattern = R"([\w.]+@[\w.]+\w)", .mask = '#'}},
                            {.match_bytes = 24});
  expect_in_every_cut(redaction, "a hunter2, sk-abcd1 ask-abcd sk-abcdefghij me@b.example. hunter2",
                      "a *******, [key] ask-abcd sk-abcdefghij ############. *******");
  expect_in_every_cut(redaction, "hunterhunter2hunter", "hunter*******hunter");
  expect_in_every_cut(redaction, "", "");
}

TEST(Redact, TheFirstRuleCountsAndMatchesDoNotOverlap) {
  const Redaction redaction({{.literal = "ab", .replacement = "1"},
                             {.literal = "abc", .replacement = "2"},
                             {.pattern = "b+", .replacement = "3"}});
  expect_in_every_cut(redaction, "abcbbab", "1c31");
}

TEST(Redact, AnchorsAreThoseOfTheBody) {
  expect_in_every_cut(Redaction({{.pattern = "^ab"}}, {.match_bytes = 2}), "abab", "**ab");
  expect_in_every_cut(Redaction({{.pattern = "ab$"}}, {.match_bytes = 2}), "abab", "ab**");
  expect_in_every_cut(Redaction({{.pattern = "(?m)^ab$"}}, {.match_bytes = 2}), "ab\nabc\nab\nxab",
                      "**\nabc\n**\nxab");
}

TEST(Redact, ALongMatchEndsAtTheLimit) {
  expect_in_every_cut(Redaction({{.pattern = "x[0-9]+"}}, {.match_bytes = 5}), "x123456789x1",
                      "*****56789**");
  // One that could only match as a longer one is none.
  expect_in_every_cut(Redaction({{.pattern = "x[0-9]+y"}}, {.match_bytes = 5}), "x123456x12yx1234y",
                      "x123456****x1234y");
}

/// Written down from what the header says, a byte at a time.
std::string by_hand(const RE2& pattern, std::string_view text, std::size_t longest) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    re2::StringPiece match;
    const std::size_t end = std::min(text.size(), at + longest);
    if (pattern.Match({text.data(), text.size()}, at, end, RE2::ANCHOR_START, &match, 1) &&
        !match.empty()) {
      out.append(match.size(), '*');
      at += match.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

TEST(Redact, RandomTextsAreRedactedAsByHand) {
  std::mt19937 random(7);
  std::size_t found = 0;
  for (const char* const text : {"ab", "a+b", "a[ab]{2,6}c", R"(\ba+)", R"(b\b)", "c.*c", "(?m)^a",
                                 "[^a]{4}", "a|abc|bb", R"(\Ba)", "a*?c"}) {
    const RE2 pattern(text);
    for (const std::size_t longest : {1U, 3U, 6U}) {
      const Redaction redaction({{.pattern = text}}, {.match_bytes = longest});
      for (int i = 0; i < 400; ++i) {
        std::string body;
        for (std::size_t size = random() % 60; body.size() < size;) body += "aabc \n"[random() % 6];
        const std::string expected = by_hand(pattern, body, longest);
        found += expected != body ? 1 : 0;
        const std::size_t cut = random() % (body.size() + 1);
        ASSERT_EQ(redacted(redaction, {body}), expected) << text << longest << body;
        ASSERT_EQ(redacted(redaction, {body.substr(0, cut), body.substr(cut)}), expected)
            << text << longest << body << cut;
      }
    }
  }
  EXPECT_GT(found, 3'000U);
}

TEST(Redact, NothingWaitsBehindALiteral) {
  const Redaction redaction(
      {{.literal = "hunter2"}, {.literal = "hunter22"}, {.pattern = "sk-[a-z0-9]{20,}"}});
  Redactor redactor(redaction);
  EXPECT_EQ(redactor.redact("a hunter2 and hunter2b, h", false), "a ******* and *******b, ");
  EXPECT_EQ(redactor.redact("unter2", false), "*******");
  EXPECT_EQ(redactor.redact("hunter2hunter2hu", false), "**************");
  EXPECT_EQ(redactor.waiting(), 2U);
  // The later literal does not count where the earlier matches; an earlier, longer one is waited
  // for.
  const Redaction longer({{.literal = "hunter22"}, {.literal = "hunter2"}});
  Redactor waits(longer);
  EXPECT_EQ(waits.redact("hunter2", false), "");
  EXPECT_EQ(waits.redact("2hunter2x", false), "***************x");
}

TEST(Redact, LiteralsAreRedactedAsPatternsInEveryCut) {
  std::mt19937 random(11);
  const std::vector<std::vector<std::string>> sets = {
      {"aab", "aa"}, {"aa", "aab"}, {"abab", "ba", "b"}, {"a", "ab", "abc"}, {"abc", "ab", "a"}};
  for (const auto& set : sets) {
    std::vector<RedactionRule> rules;
    std::string all;
    for (const std::string& each : set) {
      rules.push_back({.literal = each});
      all += (all.empty() ? "" : "|") + each;
    }
    rules.push_back({.pattern = "b+c"});
    const RE2 pattern(all + "|b+c");
    const Redaction redaction(std::move(rules), {.match_bytes = 5});
    for (int i = 0; i < 2'000; ++i) {
      std::string body;
      for (std::size_t size = random() % 20; body.size() < size;) body += "aabbc"[random() % 5];
      std::vector<std::string> pieces;
      for (std::size_t at = 0; at < body.size();) {
        const std::size_t size = 1 + random() % 6;
        pieces.push_back(body.substr(at, size));
        at += size;
      }
      ASSERT_EQ(redacted(redaction, pieces), by_hand(pattern, body, 5)) << all << ' ' << body;
    }
  }
}

TEST(Redact, WhatCannotBeginAMatchIsNotHeldBack) {
  const Redaction redaction({{.literal = "hunter2"}, {.pattern = "sk-[a-z0-9]{20,}"}});
  Redactor redactor(redaction);
  EXPECT_EQ(redactor.redact("data: hello\n\n", false), "data: hello\n\n");
  EXPECT_EQ(redactor.redact("the hunt", false), "the ");
  EXPECT_EQ(redactor.redact("ing of s", false), "hunting of ");
  EXPECT_EQ(redactor.redact("k-", false), "");
  EXPECT_EQ(redactor.redact(" x", false), "sk- x");
  EXPECT_EQ(redactor.found(), 0U);
}

TEST(Redact, WhatIsKeptIsBounded) {
  const Redaction redaction({{.pattern = "[a-z]+!"}}, {.match_bytes = 100});
  Redactor redactor(redaction);
  std::size_t out = 0;
  for (int i = 0; i < 1000; ++i) out += redactor.redact("abcdefghij", false).size();
  EXPECT_GE(out, 10'000U - 101);
  EXPECT_LE(out, 10'000U);
}

TEST(Redact, RulesThatAreNoneAreRefused) {
  const auto refused = [](RedactionRule rule) {
    return [rule] { Redaction({rule}, {.match_bytes = 8}); };
  };
  EXPECT_THAT(refused({}), ThrowsMessage<Error>(HasSubstr("rule 1")));
  EXPECT_THAT(refused({.literal = "a", .pattern = "b"}), ThrowsMessage<Error>(HasSubstr("one of")));
  EXPECT_THAT(refused({.pattern = "(a"}), ThrowsMessage<Error>(HasSubstr("missing )")));
  EXPECT_THAT(refused({.pattern = "a*"}), ThrowsMessage<Error>(HasSubstr("nothing at all")));
  EXPECT_THAT(refused({.literal = "123456789"}), ThrowsMessage<Error>(HasSubstr("match_bytes")));
  EXPECT_THROW(Redaction({}), Error);
}

}  // namespace
}  // namespace extproc
