#include "metrics/durations.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace extproc::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

Distribution read(const Durations& durations) {
  Distribution sum;
  durations.read(sum);
  return sum;
}

TEST(Durations, EachIsInTheFirstBucketThatItFits) {
  for (std::size_t i = 0; i < Durations::kBounds.size(); ++i) {
    Durations durations;
    durations.add(Durations::kBounds[i]);
    durations.add(Durations::kBounds[i] + nanoseconds(1));
    const Distribution its = read(durations);
    ASSERT_EQ(its.counts.size(), Durations::kBounds.size() + 1);
    EXPECT_EQ(its.counts[i], 1) << i;
    EXPECT_EQ(its.counts[i + 1], 1) << i;
  }
}

TEST(Durations, AddUpOverThreads) {
  Durations first, second;
  first.add(milliseconds(2));
  second.add(milliseconds(2));
  second.add(milliseconds(200));
  // A clock that goes back.
  second.add(nanoseconds(-1));
  Distribution sum;
  first.read(sum);
  second.read(sum);
  EXPECT_DOUBLE_EQ(sum.sum, 0.204);
  EXPECT_EQ(sum.counts[5], 2);
  EXPECT_EQ(sum.counts[9], 1);
  EXPECT_EQ(sum.counts[0], 1);
  EXPECT_EQ(sum.bounds[9], 0.2);
}

TEST(Durations, KeepTheLastExemplarOfEachBucket) {
  Durations durations;
  durations.add(microseconds(20), {.trace = {1}, .span = {2}});
  durations.add(microseconds(30), {.trace = {3, 4}, .span = {5}});
  durations.add(milliseconds(20));
  const Distribution its = read(durations);
  ASSERT_TRUE(its.exemplars[1]);
  EXPECT_EQ(its.exemplars[1]->ids.trace[0], 3);
  EXPECT_EQ(its.exemplars[1]->ids.trace[1], 4);
  EXPECT_EQ(its.exemplars[1]->ids.span[0], 5);
  EXPECT_DOUBLE_EQ(its.exemplars[1]->value, 30e-6);
  EXPECT_GT(its.exemplars[1]->time, 1.7e9);
  EXPECT_FALSE(its.exemplars[0]);
  EXPECT_FALSE(its.exemplars[7]);
}

// All parts of one are of the same write, whenever it is read.
TEST(Durations, AreReadWhileTheyAreWritten) {
  Durations durations;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint8_t i = 1; !stop; ++i) {
      SpanIds ids;
      ids.trace.fill(i);
      ids.span.fill(i);
      durations.add(nanoseconds(i), ids);
    }
  });
  double last = 0;
  for (int seen = 0; seen < 2'000;) {
    const Distribution its = read(durations);
    EXPECT_GE(its.counts[0], last);
    last = its.counts[0];
    if (!its.exemplars[0]) continue;
    ++seen;
    const Exemplar& exemplar = *its.exemplars[0];
    for (const std::uint8_t byte : exemplar.ids.trace) ASSERT_EQ(byte, exemplar.ids.span[0]);
    ASSERT_NEAR(exemplar.value * 1e9, exemplar.ids.span[0], 0.001);
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace extproc::metrics
