#include "metrics/names.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>

#include "extproc/error.h"

namespace extproc::metrics {
namespace {

constexpr std::size_t kMostBounds = 100;
constexpr std::size_t kMostLabels = 20;
constexpr std::size_t kLongest = 1'024;

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  throw Error("the metric \"" + std::string(name) + "\" " + std::string(why));
}

bool is_word(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kLongest && is_letter(text.front()) &&
         std::ranges::all_of(text, fits);
}

/// Prometheus refuses a whole scrape for one that is not.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const unsigned first = byte(i);
    const std::size_t more = first < 0x80         ? 0
                             : first >> 5 == 0x6  ? 1
                             : first >> 4 == 0xe  ? 2
                             : first >> 3 == 0x1e ? 3
                                                  : 4;
    if (more == 4) return false;
    unsigned code = more == 0 ? first : first & (0x3fU >> more);
    for (std::size_t at = 1; at <= more; ++at) {
      if (byte(i + at) >> 6 != 0x2) return false;
      code = code << 6 | (byte(i + at) & 0x3fU);
    }
    constexpr unsigned kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace

void check_name(std::string_view name, Kind kind) {
  if (!is_word(name))
    refuse(name,
           "has no name that Prometheus takes: letters, digits and underscores, not a digit "
           "first");
  for (const std::string_view own : {"extproc_", "process_"}) {
    if (name.starts_with(own))
      refuse(name, "begins with \"" + std::string(own) +
                       "\", as the library's own do: begin it with your program's name");
  }
  const bool is_total = name.ends_with("_total");
  if (kind == Kind::counter && (!is_total || name == "_total"))
    refuse(name, "is a counter, whose name ends in \"_total\"");
  if (kind != Kind::counter && is_total) refuse(name, "ends in \"_total\", which is for counters");
  for (const std::string_view suffix : {"_bucket", "_count", "_sum", "_created", "_info"}) {
    if (name.ends_with(suffix))
      refuse(name, "ends in \"" + std::string(suffix) + "\", which has a meaning of its own");
  }
}

void check_help(std::string_view name, std::string_view help) {
  if (help.empty()) refuse(name, "has no help: say in a few words what it counts");
  if (help.size() > kLongest || !is_utf8(help))
    refuse(name, "has a help that is no UTF-8, or longer than 1,024 bytes");
}

void check_labels(std::string_view name, Kind kind, const Labels& sorted) {
  if (sorted.size() > kMostLabels) refuse(name, "has more than 20 labels");
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [label, value] = sorted[i];
    if (!is_word(label) || label.starts_with("__"))
      refuse(name, "has a label \"" + label +
                       "\", which Prometheus does not take: letters, digits and underscores, not "
                       "a digit first, nor two underscores");
    if (label == "le" && kind == Kind::histogram)
      refuse(name, "is a histogram, which has the label \"le\" by itself");
    if (i > 0 && sorted[i - 1].first == label)
      refuse(name, "has the label \"" + label + "\" twice");
    if (value.size() > kLongest || !is_utf8(value))
      refuse(name, "has a value of its label \"" + label +
                       "\" that is no UTF-8, or longer than 1,024 bytes");
  }
}

void check_bounds(std::string_view name, std::span<const double> bounds) {
  if (bounds.empty() || bounds.size() > kMostBounds)
    refuse(name, "needs 1 to 100 bounds of buckets");
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
      refuse(name, "has bounds of buckets that do not rise, or are no numbers");
  }
}

}  // namespace extproc::metrics
