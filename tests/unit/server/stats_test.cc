// The tables of counters: what a thread counts is found under its own name, and nowhere else.
#include "server/stats.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

namespace extproc::server {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// The counters that are not 0, by name.
template <class Sum>
std::map<std::string, std::uint64_t> counted(const Sum& sum) {
  std::map<std::string, std::uint64_t> values;
  for_each_counter(sum, [&](const CounterInfo& counter, std::uint64_t value) {
    if (value != 0) values.emplace(counter.name, value);
  });
  return values;
}

template <class Counted, class Sum>
void expect_each_under_its_own_name() {
  for (const auto& row : CounterTable<Sum>::kRows) {
    Counted counters;
    (counters.*row.counted).add(3);
    (counters.*row.counted).subtract();
    Sum sum;
    add(counters, sum);
    EXPECT_THAT(counted(sum), ElementsAre(Pair(row.info.name, 2U)));
    EXPECT_EQ(sum.*row.sum, 2U);
    EXPECT_FALSE(row.info.help.empty()) << row.info.name;
  }
}

TEST(Stats, EachCounterIsFoundUnderItsOwnName) {
  expect_each_under_its_own_name<Counters, Stats>();
  expect_each_under_its_own_name<LinkCounters, ProcessorStats>();
}

TEST(Stats, NamesAreThoseOfTheMembers) {
  Counters counters;
  counters.connections_accepted.add(1);
  counters.misused_answers.add(2);
  counters.early_ends.add(3);
  Stats sum;
  add(counters, sum);
  EXPECT_EQ(sum.connections_accepted, 1U);
  EXPECT_EQ(sum.misused_answers, 2U);
  EXPECT_EQ(sum.early_ends, 3U);
  EXPECT_THAT(counted(sum), ElementsAre(Pair("connections_accepted", 1U), Pair("early_ends", 3U),
                                        Pair("misused_answers", 2U)));
}

TEST(Stats, IsTheSumOverTheThreads) {
  Counters first, second;
  first.streams_open.add(2);
  second.streams_open.add(5);
  Stats sum;
  add(first, sum);
  add(second, sum);
  EXPECT_EQ(sum.streams_open, 7U);
}

TEST(Stats, WhatIsOpenIsAGauge) {
  std::vector<std::string> gauges;
  for_each_counter(Stats{}, [&](const CounterInfo& counter, std::uint64_t) {
    if (counter.kind == CounterKind::gauge) gauges.emplace_back(counter.name);
  });
  EXPECT_THAT(gauges, ElementsAre("connections_open", "streams_open", "memory_bytes"));
}

}  // namespace
}  // namespace extproc::server
