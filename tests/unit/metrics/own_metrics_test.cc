// A program's own metrics.
#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "extproc/error.h"
#include "extproc/metrics.h"
#include "metrics/exposition.h"
#include "metrics/names.h"
#include "metrics/registry.h"

namespace extproc::metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// What of all that is published has `name` in it.
std::string published(std::string_view name) {
  Families all;
  Registry::instance().collect(all);
  Families some;
  for (const Family& family : all.all()) {
    if (family.name != name) continue;
    some.get(family.name, family.kind, family.help).series = family.series;
  }
  return write(some, Format::text);
}

template <class Make>
std::string refused(Make make) {
  try {
    make();
  } catch (const Error& error) {
    return error.what();
  }
  return "it was taken";
}

TEST(OwnMetrics, CountByThreadsAndAddUp) {
  const Counter counter("own_threads_total", "Counted by threads", {{"b", "2"}, {"a", "1"}});
  constexpr int kEach = 10'000;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < kEach; ++n) counter.add();
      });
    for (auto& each : threads) each.join();
  }
  counter.add(0.5);
  EXPECT_EQ(published("own_threads_total"),
            "# HELP own_threads_total Counted by threads\n"
            "# TYPE own_threads_total counter\n"
            "own_threads_total{a=\"1\",b=\"2\"} 80000.5\n");
}

TEST(OwnMetrics, OfTheSameNameAndLabelsAreOne) {
  const Counter first("own_shared_total", "Shared", {{"a", "1"}, {"b", "2"}});
  const Counter second("own_shared_total", "Shared", {{"b", "2"}, {"a", "1"}});
  const Counter other("own_shared_total", "Shared", {{"a", "2"}, {"b", "2"}});
  const Counter copy = first;
  first.add();
  second.add();
  copy.add();
  other.add(9);
  EXPECT_THAT(published("own_shared_total"),
              AllOf(HasSubstr("{a=\"1\",b=\"2\"} 3\n"), HasSubstr("{a=\"2\",b=\"2\"} 9\n")));
}

TEST(OwnMetrics, OnlyWhatIsAnAmountCounts) {
  const Counter counter("own_amounts_total", "Amounts");
  const Histogram histogram("own_amounts_seconds", "Amounts");
  for (const double amount :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    counter.add(amount);
  histogram.observe(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(published("own_amounts_total"), HasSubstr("own_amounts_total 0\n"));
  EXPECT_THAT(published("own_amounts_seconds"), HasSubstr("own_amounts_seconds_count 0\n"));
}

TEST(OwnMetrics, AGaugeIsOneValueForAllThreads) {
  const Gauge gauge("own_gauge", "A gauge");
  EXPECT_THAT(published("own_gauge"), HasSubstr("own_gauge 0\n"));
  gauge.set(10);
  std::thread([&] { gauge.add(2.5); }).join();
  std::thread([&] { gauge.subtract(); }).join();
  EXPECT_THAT(published("own_gauge"),
              AllOf(HasSubstr("# TYPE own_gauge gauge\n"), HasSubstr("own_gauge 11.5\n")));
}

TEST(OwnMetrics, AHistogramHasEachValueInItsBucket) {
  constexpr double kBounds[] = {1, 2.5};
  const Histogram histogram("own_sizes_bytes", "Sizes", {{"of", "x"}}, kBounds);
  for (const double value : {1.0, 1.5, 2.5, 3.0, -4.0}) histogram.observe(value);
  EXPECT_EQ(published("own_sizes_bytes"),
            "# HELP own_sizes_bytes Sizes\n"
            "# TYPE own_sizes_bytes histogram\n"
            "own_sizes_bytes_bucket{of=\"x\",le=\"1.0\"} 2\n"
            "own_sizes_bytes_bucket{of=\"x\",le=\"2.5\"} 4\n"
            "own_sizes_bytes_bucket{of=\"x\",le=\"+Inf\"} 5\n"
            "own_sizes_bytes_sum{of=\"x\"} 4\n"
            "own_sizes_bytes_count{of=\"x\"} 5\n");
  const Histogram times("own_time_seconds", "Times");
  times.observe(0.2);
  EXPECT_THAT(published("own_time_seconds"),
              AllOf(HasSubstr("le=\"0.1\"} 0\n"), HasSubstr("le=\"0.2\"} 1\n"),
                    HasSubstr("le=\"1e-05\"} 0\n"), HasSubstr("le=\"60.0\"} 1\n")));
}

TEST(OwnMetrics, WhatAnotherHasIsRefused) {
  const Counter counter("own_taken_total", "Taken", {{"a", "1"}});
  EXPECT_THAT(refused([] {
                Counter("own_taken_total", "Something else", {{"a", "1"}});
              }),
              HasSubstr("with another help, \"Taken\": give it that"));
  EXPECT_THAT(refused([] { Counter("own_taken_total", "Taken"); }),
              HasSubstr("with the labels a: give it those"));
  EXPECT_THAT(refused([] {
                Counter("own_taken_total", "Taken", {{"b", "1"}});
              }),
              HasSubstr("with the labels a"));
  const Gauge gauge("own_taken_seconds", "Taken");
  EXPECT_THAT(refused([] { Histogram("own_taken_seconds", "Taken"); }),
              HasSubstr("as a gauge: name this histogram otherwise"));
  const Histogram histogram("own_taken_bytes", "Taken");
  constexpr double kBounds[] = {1};
  EXPECT_THAT(refused([&] { Histogram("own_taken_bytes", "Taken", {}, kBounds); }),
              HasSubstr("with other bounds of its buckets"));
}

TEST(OwnMetrics, WhatPrometheusWouldNotTakeIsRefused) {
  const auto name = [](std::string_view text) { return refused([&] { Gauge(text, "Help"); }); };
  for (const std::string_view bad : {"", "1a", "a-b", "a.b", "a b", "a:b", "\xc3\xa9", "a\n"})
    EXPECT_THAT(name(bad), HasSubstr("letters, digits and underscores"));
  EXPECT_THAT(name("extproc_mine"), HasSubstr("begin it with your program's name"));
  EXPECT_THAT(name("process_mine"), HasSubstr("begin it with your program's name"));
  EXPECT_THAT(name("own_x_total"), HasSubstr("which is for counters"));
  for (const std::string_view suffix : {"bucket", "sum", "count", "created", "info"})
    EXPECT_THAT(name("own_" + std::string(suffix)), HasSubstr("a meaning of its own"));
  EXPECT_THAT(refused([] { Counter("own_requests", "Help"); }),
              HasSubstr("is a counter, whose name ends in \"_total\""));
  EXPECT_THAT(refused([] { Gauge("own_x", ""); }), HasSubstr("has no help"));

  const auto label = [](std::string_view key, std::string_view value) {
    return refused([&] { Histogram("own_l", "Help", {{std::string(key), std::string(value)}}); });
  };
  for (const std::string_view bad : {"", "1", "a-b", "__name__"})
    EXPECT_THAT(label(bad, "v"), HasSubstr("has a label \"" + std::string(bad) + "\""));
  EXPECT_THAT(label("le", "v"), HasSubstr("has the label \"le\" by itself"));
  for (const std::string_view bad :
       {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"})
    EXPECT_THAT(label("a", bad), HasSubstr("no UTF-8"));
  EXPECT_EQ(label("a", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "it was taken");
  EXPECT_THAT(refused([] {
                Gauge("own_x", "Help", {{"a", "1"}, {"a", "2"}});
              }),
              HasSubstr("the label \"a\" twice"));

  const auto bounds = [](std::vector<double> values) {
    return refused([&] { Histogram("own_b", "Help", {}, values); });
  };
  EXPECT_THAT(bounds({}), HasSubstr("1 to 100 bounds"));
  EXPECT_THAT(bounds(std::vector<double>(101)), HasSubstr("1 to 100 bounds"));
  EXPECT_THAT(bounds({1, 1}), HasSubstr("do not rise"));
  EXPECT_THAT(bounds({1, std::numeric_limits<double>::infinity()}), HasSubstr("do not rise"));
}

// Last, as it takes what there is.
TEST(OwnMetricsBound, ThereIsAnEndToThem) {
  std::string why = "it was taken";
  std::size_t made = 0;
  for (; made <= kMostSeries && why == "it was taken"; ++made)
    why = refused([&] { Counter("own_many_total", "Many", {{"n", std::to_string(made)}}); });
  EXPECT_THAT(why, AllOf(StartsWith("the metric \"own_many_total\" is one too many"),
                         HasSubstr("from requests")));
  EXPECT_GT(made, kMostSeries / 2);
  EXPECT_LE(made, kMostSeries);
  // Those that are there are found as before.
  const Counter there("own_many_total", "Many", {{"n", "0"}});
  there.add();
  EXPECT_THAT(published("own_many_total"), HasSubstr("{n=\"0\"} 1\n"));
  EXPECT_THAT(published("own_many_total"), Not(HasSubstr("{n=\"10000\"}")));
}

}  // namespace
}  // namespace extproc::metrics
