#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/export.h"

/// Secrets taken out of a body however it is cut, of the component extproc::redact (CMake) or
/// extproc-redact (pkg-config), which links RE2. What does not include this header needs none.
///
///   static const Redaction secrets({{.literal = "hunter2"}, {.pattern = R"(sk-[\w-]{20,})"}});
///   Redactor redactor(secrets);
///   while (auto chunk = co_await body.read()) {
///     body.write(redactor.redact(chunk->bytes(), chunk->end_of_stream()));
///   }
///   body.write(redactor.redact("", true));  // where trailers follow
namespace extproc {

/// What is taken out, and what is there then.
struct RedactionRule {
  /// Bytes as they are, or a pattern of RE2's syntax; not both. A body's bytes are UTF-8 to a
  /// pattern; those that are none match nothing but \C.
  std::string literal{};
  std::string pattern{};
  /// In its place. Nothing: as many `mask`s as it has bytes, which keeps content-length right.
  std::optional<std::string> replacement{};
  char mask = '*';
};

struct RedactionLimits {
  /// The longest that a match can be, in bytes; of a pattern that could match more, that much is
  /// taken. At most so many bytes, and one, are kept between two chunks.
  std::size_t match_bytes = 1024;
  /// Of RE2's, for all threads together.
  std::size_t pattern_memory = std::size_t{8} << 20;
};

/// A set of rules, set up once; safe from any thread.
class EXTPROC_API Redaction {
 public:
  /// Where several match at the same byte, the first of them counts. Throws Error for a rule
  /// without one of literal and pattern, a pattern that RE2 does not take or that matches nothing
  /// at all, and a literal that is longer than the limit.
  explicit Redaction(std::vector<RedactionRule> rules, RedactionLimits limits = {});
  ~Redaction();
  Redaction(const Redaction&) = delete;
  Redaction& operator=(const Redaction&) = delete;

  class Rules;

 private:
  friend class Redactor;

  std::unique_ptr<const Rules> rules_;
};

/// Redacts one body. What comes out is the same however it is cut: from left to right, at each byte
/// that is no part of a match yet, the first rule that matches within the next `match_bytes`. For
/// one thread at a time.
class EXTPROC_API Redactor {
 public:
  /// `redaction` lives as long as this.
  explicit Redactor(const Redaction& redaction) : rules_(*redaction.rules_) {}

  /// What the chunk becomes, together with what was kept of those before; valid until the next
  /// call. What no match can begin with goes on at once, of the rest all but `match_bytes`, and all
  /// with `last`, behind which nothing may follow but empty chunks. Literals are known to the byte;
  /// where a pattern can begin, by its least and its greatest match, so that one with a fixed begin
  /// ("sk-…") holds least back: `match_bytes` behind it.
  std::string_view redact(std::string_view chunk, bool last);
  /// How many bytes are kept, for what comes next.
  std::size_t waiting() const { return kept_.size() - decided_; }
  /// How many matches there were.
  std::uint64_t found() const { return found_; }

 private:
  const Redaction::Rules& rules_;
  std::string kept_;         // a byte that is over, for \b and ^, and what is undecided
  std::size_t decided_ = 0;  // bytes in front of kept_ that are over
  std::string out_;
  std::uint64_t found_ = 0;
};

}  // namespace extproc
