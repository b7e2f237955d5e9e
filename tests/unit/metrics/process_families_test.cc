#include "metrics/process_families.h"

#include <gmock/gmock.h>

#include <ctime>
#include <map>
#include <string>

namespace extproc::metrics {
namespace {

TEST(ProcessFamilies, SayWhatThisProcessIs) {
  Families families;
  add_process(families);
  std::map<std::string, double> values;
  for (const Family& family : families.all()) {
    ASSERT_EQ(family.series.size(), 1U) << family.name;
    values.emplace(family.name, family.series.front().value);
  }
  EXPECT_GT(values.at("process_cpu_seconds_total"), 0);
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(values.at("process_virtual_memory_bytes"), values.at("process_resident_memory_bytes"));
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(values.at("process_start_time_seconds"), now + 1);
  EXPECT_GT(values.at("process_start_time_seconds"), now - 86'400);
}

}  // namespace
}  // namespace extproc::metrics
