#include "grpc/timeout.h"

#include <gtest/gtest.h>

namespace extproc::grpc {
namespace {

using namespace std::chrono_literals;

TEST(Timeout, ReadsEveryUnit) {
  const struct {
    std::string_view text;
    std::chrono::nanoseconds expected;
  } cases[] = {
      {"1H", 1h},
      {"2M", 2min},
      {"3S", 3s},
      {"4m", 4ms},
      {"5u", 5us},
      {"6n", 6ns},
      {"0S", 0s},
      {"99999999n", 99'999'999ns},
      {"007S", 7s},
      {"99999999S", 99'999'999s},
      {"99999999H", kLongestTimeout},
      {"99999999M", kLongestTimeout},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_timeout(c.text), c.expected) << c.text;
}

TEST(Timeout, RefusesTheRest) {
  for (const std::string_view text :
       {"", "1", "S", "1s", "1 S", "-1S", "+1S", "1.5S", "123456789S", "1SS", "0x1S", " 1S"})
    EXPECT_EQ(parse_timeout(text), std::nullopt) << text;
}

}  // namespace
}  // namespace extproc::grpc
