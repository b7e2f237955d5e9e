// A chain has the effect of one filter each: for every row, style, mode, place, and other
// processor.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "completeness/doer.h"
#include "completeness/plays.h"

namespace extproc::completeness {
namespace {

constexpr BodySendMode kSomeModes[] = {BodySendMode::none, BodySendMode::streamed,
                                       BodySendMode::buffered};

bool differs(const Row& row, bool trailers) {
  return row.chain_differs != nullptr || (trailers && row.chain_differs_with_trailers != nullptr);
}

/// Whether the row is to be compared: a function over a whole body is like any other elsewhere.
bool acts(const Row& row, Phase phase, Style style) {
  return row.acts(phase, over_stream(style)) && (style != Style::function_stream || is_body(phase));
}

/// What was begun piece by piece has left, and in a chain has not.
bool is_thrown_after_a_reply(const Row& first, const Row& second) {
  return first.name == "RespondStreaming" && second.name == "Stop";
}

/// What is done in one direction alone.
Acts only(const Acts& acts, bool in_request) {
  Acts some;
  for (const auto& [phase, row] : acts) {
    if (is_request_phase(phase) == in_request) some.emplace(phase, row);
  }
  return some;
}

/// Tells the first difference of each kind, and how many there are.
class Differences {
 public:
  ~Differences() {
    EXPECT_GT(compared_, 0);
    for (const auto& [key, number] : count_) ADD_FAILURE() << key << ": " << number << " differ";
  }

  void compare(const std::string& key, const std::string& what, const Effect& filters,
               const Effect& chain) {
    ++compared_;
    const std::string expected = filters.text();
    const std::string actual = chain.text();
    if (expected == actual) return;
    if (++count_[key] == 1)
      ADD_FAILURE() << what << "\n--- filters\n" << expected << "\n--- chain\n" << actual;
  }

 private:
  int compared_ = 0;
  std::map<std::string, int> count_;
};

const std::vector<Other> kAll(std::begin(kOthers), std::end(kOthers));

std::string describe(const Acts& acts, Style style, Modes modes, bool trailers) {
  std::string all;
  for (const auto& [phase, row] : acts)
    all += row->name + " in " + std::string(to_string(phase)) + ", ";
  return all + to_string(style) + ", " + std::string(to_string(modes.request)) + "/" +
         std::string(to_string(modes.response)) + (trailers ? ", trailers" : "");
}

void compare(const std::string& key, const Acts& acts, Style style, Modes modes, bool trailers,
             Differences& differences, const std::vector<Other>& others = kAll) {
  for (const auto& [phase, row] : acts) {
    if (differs(*row, trailers)) return;
  }
  int called = 0;
  const Service doer = make_doer("P", style, acts, called);
  const Service doer_in_request = make_doer("P", style, only(acts, true), called);
  const Service doer_in_response = make_doer("P", style, only(acts, false), called);
  for (const Other which : others) {
    const Service other = make_other("O", which);
    const std::string what = describe(acts, style, modes, trailers) + ", " + to_string(which);
    differences.compare(key + " before " + to_string(which), what + " behind it",
                        by_filters({doer, doer_in_request, other, other}, modes, trailers),
                        by_chain(doer, other, modes, trailers));
    differences.compare(key + " behind " + to_string(which), what + " in front of it",
                        by_filters({other, other, doer, doer_in_response}, modes, trailers),
                        by_chain(other, doer, modes, trailers));
  }
}

TEST(ChainIsFilters, ForEachRow) {
  Differences differences;
  for (const Row& row : rows()) {
    for (const Style style : kStyles) {
      // Each run waits for threads.
      const auto others = style == Style::blocking ? std::vector{Other::message} : kAll;
      for (const Phase phase : kPhases) {
        if (!acts(row, phase, style)) continue;
        for (const BodySendMode mode : kModes) {
          compare(row.name, {{phase, &row}}, style, {mode, mode}, true, differences, others);
          if (style == Style::functions || style == Style::async_stream)
            compare(row.name, {{phase, &row}}, style, {mode, mode}, false, differences);
        }
      }
    }
  }
}

TEST(ChainIsFilters, ForEachPairOfModes) {
  Differences differences;
  for (const Row& row : rows()) {
    for (const Phase phase : kPhases) {
      if (!row.acts(phase, false)) continue;
      for (const BodySendMode request : kModes) {
        for (const BodySendMode response : kModes) {
          if (request != response)
            compare(row.name, {{phase, &row}}, Style::functions, {request, response}, true,
                    differences);
        }
      }
    }
  }
}

// Overriding a mode, and what is asked for then.
TEST(ChainIsFilters, AfterEachOverride) {
  Differences differences;
  for (const Row& first : rows()) {
    if (!first.overrides() || first.spared == Spared::but_for_names) continue;
    const auto others = first.spared == Spared::yes ? kAll : std::vector<Other>{Other::nothing};
    for (const Row& second : rows()) {
      if (second.overrides()) continue;
      for (const Style style : {Style::functions, Style::function_stream}) {
        for (const Phase phase : kPhases) {
          if (phase == Phase::request_headers || !acts(second, phase, style)) continue;
          for (const BodySendMode mode : kSomeModes)
            compare(first.name + ", " + second.name,
                    {{Phase::request_headers, &first}, {phase, &second}}, style, {mode, mode}, true,
                    differences, others);
        }
      }
    }
  }
}

TEST(ChainIsFilters, ForTheSameInTwoPhases) {
  Differences differences;
  for (const Row& row : rows()) {
    for (const Style style : {Style::functions, Style::function_stream}) {
      for (const Phase first : kPhases) {
        for (const Phase second : kPhases) {
          if (first >= second || !row.acts(first, over_stream(style)) ||
              !row.acts(second, over_stream(style)))
            continue;
          for (const BodySendMode mode : kSomeModes)
            compare(row.name, {{first, &row}, {second, &row}}, style, {mode, mode}, true,
                    differences);
        }
      }
    }
  }
}

// Both links ask for something, in the same phase.
TEST(ChainIsFilters, ForEachPairOfRows) {
  Differences differences;
  int called = 0;
  for (const Style style : {Style::functions, Style::function_stream}) {
    for (const Row& first : rows()) {
      for (const Row& second : rows()) {
        for (const Phase phase : kPhases) {
          if (!acts(first, phase, style) || !acts(second, phase, style)) continue;
          const Acts acts{{phase, &second}};
          const Service one = make_doer("A", style, {{phase, &first}}, called);
          const Service two = make_doer("B", style, acts, called);
          const Service one_in_request =
              make_doer("A", style, only({{phase, &first}}, true), called);
          const Service two_in_response = make_doer("B", style, only(acts, false), called);
          for (const BodySendMode mode : kSomeModes) {
            if (differs(first, true) || differs(second, true)) continue;
            const Modes modes{mode, mode};
            differences.compare(
                first.name + ", then " + second.name,
                first.name + ", then " + describe(acts, style, modes, true),
                by_filters({one, one_in_request, two, two_in_response}, modes, true),
                by_chain(one, two, modes, true));
          }
        }
      }
    }
  }
}

// What one answer asks for does not go lost beside what else it asks for.
TEST(ChainIsFilters, ForEachPairInOneAnswer) {
  Differences differences;
  for (const Style style : {Style::functions, Style::function_stream}) {
    for (const Row& first : rows()) {
      for (const Row& second : rows()) {
        // The last override counts, as for ForEachRow.
        if (&first == &second || (first.overrides() && second.overrides())) continue;
        if (first.chain_differs_after != nullptr || is_thrown_after_a_reply(first, second))
          continue;
        for (const Phase phase : kPhases) {
          if (!acts(first, phase, style) || !acts(second, phase, style)) continue;
          for (const BodySendMode mode : kSomeModes)
            compare(first.name + " and " + second.name, {{phase, &first}, {phase, &second}}, style,
                    {mode, mode}, true, differences, {Other::message});
        }
      }
    }
  }
}

}  // namespace
}  // namespace extproc::completeness
