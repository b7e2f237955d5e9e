// Each field and enum value of a ProcessingResponse, from Envoy's descriptors, has a row that has
// the library write it, or a reason why it never does.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "completeness/client.h"
#include "completeness/doer.h"
#include "completeness/plays.h"
#include "completeness/written.h"
#include "extproc/chain.h"

namespace extproc::completeness {
namespace {

using Names = std::set<std::string>;

/// What a row has the library write, alone, in any phase, mode and style.
Names written_by(const Row& row) {
  Names all;
  for (const Style style : {Style::functions, Style::function_stream}) {
    for (const Phase phase : kPhases) {
      if (!row.acts(phase, over_stream(style))) continue;
      for (const BodySendMode mode :
           {BodySendMode::none, BodySendMode::buffered, BodySendMode::full_duplex_streamed}) {
        for (const bool trailers : {false, true}) {
          int called = 0;
          const Service doer = make_doer("P", style, {{phase, &row}}, called);
          for (const auto& message : alone(doer, {mode, mode}, trailers).messages) {
            if (!message.from_envoy) all.merge(written(message.bytes));
          }
        }
      }
    }
  }
  return all;
}

Names written_by(const std::vector<std::string>& answers) {
  Names all;
  for (const auto& answer : answers) all.merge(written(answer));
  return all;
}

class Fields : public ::testing::Test {
 protected:
  void take(const std::string& name, const std::vector<std::string>& writes, const Names& wrote) {
    for (const auto& field : writes) {
      EXPECT_TRUE(wrote.contains(field)) << name << " does not have " << field << " written";
      rows_.insert(field);
    }
    for (const auto& field : wrote) written_.emplace(field, name);
  }

  Names rows_;                                  // with a row
  std::map<std::string, std::string> written_;  // and by which one
};

TEST_F(Fields, AreEachWrittenByARowOrNever) {
  for (const Row& row : rows()) take(row.name, row.writes, written_by(row));
  for (const ClientPlay& play : client_plays())
    take(play.name, play.writes, written_by(play.play(play.processor())));

  Names never;
  for (const auto& [field, why] : never_written()) {
    EXPECT_TRUE(never.insert(field).second) << field << " stands twice";
    EXPECT_FALSE(written_.contains(field)) << field << " is written, by " << written_[field];
    EXPECT_FALSE(std::string(why).empty()) << field;
  }
  const Names all = all_fields();
  EXPECT_GT(all.size(), 60U);
  for (const auto& field : all)
    EXPECT_NE(rows_.contains(field), never.contains(field))
        << field << (never.contains(field) ? " has both a row and a reason" : " has neither");
  for (const auto& field : rows_) EXPECT_TRUE(all.contains(field)) << field << " is no field";
  for (const auto& field : never) EXPECT_TRUE(all.contains(field)) << field << " is no field";
  for (const auto& [field, row] : written_)
    EXPECT_TRUE(rows_.contains(field)) << field << " is written by " << row << ", and has no row";
}

TEST(EnumRows, AreThereForEachModeOfTheLibrary) {
  const auto has = [](const std::string& name) {
    return std::any_of(rows().begin(), rows().end(),
                       [&](const Row& row) { return row.name == name; });
  };
  const Names all = all_fields();
  const auto modes = std::count_if(
      all.begin(), all.end(), [](const auto& value) { return value.starts_with("BodySendMode."); });
  for (int number = 0; number < modes; ++number) {
    const std::string mode(to_string(static_cast<BodySendMode>(number)));
    EXPECT_TRUE(all.contains("BodySendMode." + mode)) << mode;
    EXPECT_TRUE(has("OverrideRequestBody" + mode) && has("OverrideResponseBody" + mode)) << mode;
  }
  EXPECT_EQ(modes, 6) << "chain_test.cc, kit_test.cc: kModes";
}

TEST(OtherClients, GetFromAChainWhatTheyGetFromOne) {
  for (const ClientPlay& play : client_plays()) {
    SCOPED_TRACE(play.name);
    const Service one = play.processor();
    const Service nothing = make_other("O", Other::nothing);
    Chain before({one, nothing});
    Chain behind({nothing, one});
    const auto expected = play.play(one);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(play.play(Service(before)), expected);
    EXPECT_EQ(play.play(Service(behind)), expected);
  }
}

}  // namespace
}  // namespace extproc::completeness
