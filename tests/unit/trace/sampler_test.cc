#include "trace/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>

#include "trace/ids.h"

namespace extproc::trace {
namespace {

constexpr int kTraces = 200'000;

double share(TraceSampler kind, double ratio, std::optional<bool> parent) {
  const Sampler sampler(kind, ratio);
  IdGenerator ids(1);
  int sampled = 0;
  for (int i = 0; i < kTraces; ++i) {
    const auto id = ids.trace_id();
    sampled += (parent ? sampler.samples(id, *parent) : sampler.samples(id)) ? 1 : 0;
  }
  return static_cast<double>(sampled) / kTraces;
}

TEST(Sampler, RecordsTheShareThatItIsTo) {
  for (const double ratio : {0.0, 0.0001, 0.01, 0.3, 0.5, 0.999, 1.0}) {
    // Five standard deviations.
    const double near = 5 * std::sqrt(ratio * (1 - ratio) / kTraces);
    EXPECT_NEAR(share(TraceSampler::traceidratio, ratio, std::nullopt), ratio, near);
    EXPECT_NEAR(share(TraceSampler::traceidratio, ratio, true), ratio, near);
    EXPECT_NEAR(share(TraceSampler::parentbased_traceidratio, ratio, std::nullopt), ratio, near);
    EXPECT_EQ(share(TraceSampler::parentbased_traceidratio, ratio, true), 1);
    EXPECT_EQ(share(TraceSampler::parentbased_traceidratio, ratio, false), 0);
  }
}

TEST(Sampler, IsTheOneThatItsNameSays) {
  struct Row {
    const char* name;
    TraceSampler kind;
    double root;
    double below_recorded;
    double below_other;
  };
  for (const Row& row :
       {Row{"always_on", TraceSampler::always_on, 1, 1, 1},
        {"always_off", TraceSampler::always_off, 0, 0, 0},
        {"traceidratio", TraceSampler::traceidratio, 0, 0, 0},
        {"parentbased_always_on", TraceSampler::parentbased_always_on, 1, 1, 0},
        {"parentbased_always_off", TraceSampler::parentbased_always_off, 0, 1, 0},
        {"parentbased_traceidratio", TraceSampler::parentbased_traceidratio, 0, 1, 0}}) {
    EXPECT_EQ(parse_sampler(row.name), row.kind);
    EXPECT_EQ(to_string(row.kind), row.name);
    EXPECT_EQ(share(row.kind, 0, std::nullopt), row.root) << row.name;
    EXPECT_EQ(share(row.kind, 0, true), row.below_recorded) << row.name;
    EXPECT_EQ(share(row.kind, 0, false), row.below_other) << row.name;
  }
  EXPECT_FALSE(parse_sampler("Always_on"));
  EXPECT_FALSE(parse_sampler("jaeger_remote"));
}

// Whoever has the same ratio, or a larger one, has the trace as well.
TEST(Sampler, OfOneTraceALargerRatioRecordsAsMuch) {
  const Sampler small(TraceSampler::traceidratio, 0.1);
  const Sampler large(TraceSampler::traceidratio, 0.2);
  IdGenerator ids(2);
  for (int i = 0; i < kTraces; ++i) {
    const auto id = ids.trace_id();
    if (small.samples(id)) {
      ASSERT_TRUE(large.samples(id));
    }
  }
}

// As OpenTelemetry's consistent samplers have it: the last 56 bits, from a threshold on.
TEST(Sampler, LooksAtTheLastSevenBytes) {
  const Sampler half(TraceSampler::traceidratio, 0.5);
  TraceContext::TraceId id{};
  id[9] = 0x80;
  EXPECT_TRUE(half.samples(id));
  id[9] = 0x7f;
  id[8] = 0xff;
  EXPECT_FALSE(half.samples(id));
}

}  // namespace
}  // namespace extproc::trace
