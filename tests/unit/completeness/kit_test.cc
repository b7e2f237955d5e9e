// What the library writes is what the kit's Envoy does, and what it will not do the library tells.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "completeness/doer.h"
#include "completeness/plays.h"

namespace extproc::completeness {
namespace {

/// Whether what breaks the rule is sent all the same, for Envoy to refuse.
bool is_sent(Rule rule) {
  switch (rule) {
    case Rule::header_not_removable:
    case Rule::header_not_appendable:
    case Rule::header_denied:
    case Rule::header_invalid:
    case Rule::too_many_mutations:
    case Rule::immediate_too_late:
      return true;
    case Rule::status_invalid:
    case Rule::body_header_mutation:
    case Rule::clear_route_cache:
    case Rule::mode_override:
    case Rule::streamed_response:
    case Rule::body_written_too_late:
    case Rule::answered_too_late:
    case Rule::body_not_awaited:
    case Rule::body_awaited_too_long:
    case Rule::body_not_allowed:
    case Rule::content_length:
    case Rule::full_duplex_override:
    case Rule::transfer_encoding:
    // Inside Envoy alone.
    case Rule::header_empty:
    case Rule::call_missing:
      break;
  }
  return false;
}

void check(const Row& row, Style style, Phase phase, BodySendMode mode, bool trailers,
           int& compared) {
  int called = 0;
  const Service doer = make_doer("P", style, {{phase, &row}}, called);
  const EnvoyResult result = alone(doer, {mode, mode}, trailers);
  if (called == 0) return;
  SCOPED_TRACE(row.name + " in " + std::string(to_string(phase)) + ", " + to_string(style) + ", " +
               std::string(to_string(mode)) + (trailers ? ", trailers" : ""));
  ++compared;
  const auto& told = result.violations;
  const bool refused = !result.refusals.empty() || result.caller.reset;
  const bool expected = std::any_of(told.begin(), told.end(),
                                    [](const auto& violation) { return is_sent(violation.rule); });
  EXPECT_EQ(refused, expected) << (result.refusals.empty() ? "" : result.refusals[0].text);
  for (const auto& violation : told) EXPECT_EQ(violation.phase, phase);
  if (row.shown == nullptr) return;
  EXPECT_EQ(row.shown(result, phase), told.empty())
      << (told.empty() ? std::string("nothing told") : std::string(to_string(told[0].rule))) << "\n"
      << effect(result).text();
}

TEST(KitIsLibrary, ForEachRow) {
  int compared = 0;
  for (const Row& row : rows()) {
    for (const Style style : {Style::functions, Style::async, Style::async_stream}) {
      for (const Phase phase : kPhases) {
        if (!row.acts(phase, over_stream(style))) continue;
        for (const BodySendMode mode : kModes) {
          for (const bool trailers : {false, true})
            check(row, style, phase, mode, trailers, compared);
        }
      }
    }
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace extproc::completeness
