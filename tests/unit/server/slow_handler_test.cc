// A handler that holds up its thread: it is noticed at every level of the log, by either clock.

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <thread>

#include "server/server_fixture.h"
#include "server/socket_client.h"
#include "server/tick_clock.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Sleeps final : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
    std::this_thread::sleep_for(50ms);
  }
};

TEST(TickClock, IsTheSteadyClockSomeMillisecondsAgo) {
  const auto before = tick_time();
  const auto exact = std::chrono::steady_clock::now();
  EXPECT_LE(before, exact);
  std::this_thread::sleep_for(200ms);
  EXPECT_GT(tick_time(), before);
  EXPECT_FALSE(ticks_within(0ns));
  EXPECT_TRUE(ticks_within(1s));
}

class SlowHandlerTest : public ServerTest, public ::testing::WithParamInterface<LogLevel> {};

TEST_P(SlowHandlerTest, IsLoggedOnce) {
  settings.log_level = GetParam();
  start(Service::make<Sleeps>());
  for (int i = 0; i < 2; ++i) connect().call(kProcess, kRequestHeaders);
  server_->shutdown();
  std::vector<std::string> warnings;
  for (const std::string& line : log()) {
    if (line.starts_with("WARNING")) warnings.push_back(line);
  }
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("Sleeps: request_headers took")));
}

INSTANTIATE_TEST_SUITE_P(Levels, SlowHandlerTest,
                         ::testing::Values(LogLevel::debug, LogLevel::warning),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

}  // namespace
}  // namespace extproc::server::testing
