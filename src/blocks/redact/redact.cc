#include "extproc/redact.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "extproc/error.h"

namespace extproc {

namespace {
namespace redaction {

RE2::Options options(std::size_t memory) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(memory));
  return options;
}

[[noreturn]] void refuse(std::size_t rule, const std::string& why) {
  throw Error("rule " + std::to_string(rule + 1) + " of a redaction: " + why);
}

/// The rule as a pattern; checked alone, so that an error is of one rule.
std::string checked(const RedactionRule& rule, std::size_t number, const RedactionLimits& limits) {
  if (rule.literal.empty() == rule.pattern.empty()) {
    refuse(number, "it needs a literal or a pattern, and one of them");
  }
  if (rule.literal.size() > limits.match_bytes) {
    refuse(number, "its literal is longer than match_bytes");
  }
  std::string text = rule.pattern.empty() ? RE2::QuoteMeta(rule.literal) : rule.pattern;
  const RE2 pattern(text, options(limits.pattern_memory));
  if (!pattern.ok()) refuse(number, "RE2 does not take \"" + text + "\": " + pattern.error());
  if (RE2::PartialMatch("", pattern)) {
    refuse(number, "\"" + text + "\" matches nothing at all: it would match everywhere");
  }
  return text;
}

std::string joined(const std::vector<RedactionRule>& rules, const RedactionLimits& limits) {
  std::string all;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (i != 0) all += '|';
    all.append("(?:").append(checked(rules[i], i, limits)).append(")");
  }
  return all;
}

struct Match {
  std::size_t begin, end;
};

/// Of matches that begin where a text does, of which more is to come.
enum class Begin : std::uint8_t {
  /// What is there says whether there is one, and which.
  known,
  /// A literal, of which all is there.
  literal,
  unknown,
};

}  // namespace redaction
}  // namespace

class Redaction::Rules {
 public:
  Rules(std::vector<RedactionRule> rules, RedactionLimits limits)
      : rules_(std::move(rules)),
        longest_(std::max<std::size_t>(limits.match_bytes, 1)),
        all_(redaction::joined(rules_, limits), redaction::options(limits.pattern_memory)) {
    if (rules_.empty()) throw Error("a redaction without rules: nothing would be taken out");
    if (!all_.ok()) throw Error("the rules of a redaction are too many for RE2: " + all_.error());
    for (const RedactionRule& rule : rules_) {
      each_.push_back(
          std::make_unique<RE2>(rule.pattern.empty() ? RE2::QuoteMeta(rule.literal) : rule.pattern,
                                redaction::options(limits.pattern_memory)));
      auto& [least, most, anything] = begins_.emplace_back();
      if (!rule.literal.empty()) {
        least = most = rule.literal;
      } else if (!each_.back()->PossibleMatchRange(&least, &most, kBegin)) {
        anything = true;
      }
    }
  }

  std::size_t longest() const { return longest_; }

  /// The first match in `text` from `from` on, in windows, so that one that begins at each byte and
  /// is too long at each costs the length of a match, and not that of the chunk. Of one that begins
  /// where not all of `longest()`, and a byte behind it, is there, the place is right at the
  /// earliest when more is.
  std::optional<redaction::Match> find(std::string_view text, std::size_t from) const {
    const re2::StringPiece all(text.data(), text.size());
    while (from < text.size()) {
      const std::size_t end = from + std::min(text.size() - from, kWindow * longest_);
      const bool is_last = end == text.size();
      re2::StringPiece match;
      if (!all_.Match(all, from, end, RE2::UNANCHORED, &match, 1)) {
        if (is_last) break;
        from = end - longest_ + 1;
        continue;
      }
      const auto begin = static_cast<std::size_t>(match.data() - text.data());
      if (begin + longest_ > end && !is_last && begin > from) {
        from = begin;
        continue;
      }
      if (match.size() > longest_ &&
          !all_.Match(all, begin, begin + longest_, RE2::ANCHOR_START, &match, 1)) {
        match = {};
      }
      if (!match.empty()) return redaction::Match{begin, begin + match.size()};
      from = begin + 1;
    }
    return std::nullopt;
  }

  redaction::Begin begin_of(std::string_view text) const {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      const auto& [least, most, anything] = begins_[i];
      const bool could =
          anything ||
          (text.substr(0, least.size()) >= std::string_view(least).substr(0, text.size()) &&
           text.substr(0, most.size()) <= std::string_view(most).substr(0, text.size()));
      if (!could) continue;
      const std::string& literal = rules_[i].literal;
      return literal.empty() || text.size() < literal.size() ? redaction::Begin::unknown
                                                             : redaction::Begin::literal;
    }
    return redaction::Begin::known;
  }

  void append_replacement(std::string& out, std::string_view text, redaction::Match match) const {
    const RedactionRule& rule = rules_[rule_of(text, match)];
    if (rule.replacement) {
      out += *rule.replacement;
    } else {
      out.append(match.end - match.begin, rule.mask);
    }
  }

 private:
  std::size_t rule_of(std::string_view text, redaction::Match match) const {
    const re2::StringPiece all(text.data(), text.size());
    for (std::size_t i = 0; i + 1 < each_.size(); ++i) {
      if (each_[i]->Match(all, match.begin, match.end, RE2::ANCHOR_BOTH, nullptr, 0)) return i;
    }
    return each_.size() - 1;
  }

  static constexpr std::size_t kWindow = 4;
  static constexpr int kBegin = 16;

  std::vector<RedactionRule> rules_;
  std::size_t longest_;
  RE2 all_;
  std::vector<std::unique_ptr<RE2>> each_;
  /// The least and the most that a rule's matches begin with, where they do not with anything.
  struct Range {
    std::string least, most;
    bool anything = false;
  };
  std::vector<Range> begins_;
};

Redaction::Redaction(std::vector<RedactionRule> rules, RedactionLimits limits)
    : rules_(std::make_unique<const Rules>(std::move(rules), limits)) {}
Redaction::~Redaction() = default;

std::string_view Redactor::redact(std::string_view chunk, bool last) {
  using redaction::Begin;
  out_.clear();
  kept_ += chunk;
  const std::string_view text = kept_;
  // Behind this a match could still begin, or end, elsewhere, where that is not known already.
  const std::size_t undecided = last ? 0 : std::min(text.size(), rules_.longest() + 1);
  std::size_t at = decided_;
  std::size_t decidable = std::max(text.size() - undecided, at);
  for (bool goes_on = true; goes_on;) {
    while (decidable < text.size() && rules_.begin_of(text.substr(decidable)) == Begin::known)
      ++decidable;
    goes_on = decidable < text.size() && rules_.begin_of(text.substr(decidable)) == Begin::literal;
    if (goes_on) ++decidable;
    while (at < decidable) {
      const auto match = rules_.find(text, at);
      if (!match || match->begin >= decidable) break;
      out_.append(text, at, match->begin - at);
      rules_.append_replacement(out_, text, *match);
      ++found_;
      at = match->end;
    }
    if (at < decidable) out_.append(text, at, decidable - at);
    at = decidable = std::max(at, decidable);
  }
  // One byte more stays, so that it is seen what a match stands behind.
  const std::size_t over = at - std::min<std::size_t>(at, 1);
  kept_.erase(0, over);
  decided_ = at - over;
  return out_;
}

}  // namespace extproc
