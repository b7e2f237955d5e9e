#include "base/logger.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace extproc {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

TEST(Logger, HandsOnWhatItsLevelLetsThrough) {
  std::vector<std::string> lines;
  const Logger logger(LogLevel::warning, [&lines](LogLevel level, std::string_view message) {
    lines.push_back(std::string(to_string(level)) + " " + std::string(message));
  });
  logger.log(LogLevel::debug, "a");
  logger.log(LogLevel::info, "b");
  logger.log(LogLevel::warning, "c");
  logger.log(LogLevel::critical, "d");
  EXPECT_THAT(lines, ElementsAre("WARNING c", "CRITICAL d"));
}

TEST(Logger, OffLetsNothingThrough) {
  const Logger logger(LogLevel::off, [](LogLevel, std::string_view) { FAIL(); });
  logger.log(LogLevel::critical, "a");
}

TEST(Logger, SurvivesASinkThatThrows) {
  const Logger logger(LogLevel::debug, [](LogLevel, std::string_view) { throw std::bad_alloc(); });
  logger.log(LogLevel::error, "a");
}

TEST(Logger, WritesLinesToStandardError) {
  ::testing::internal::CaptureStderr();
  log_to_stderr(LogLevel::info, "ready");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex("....-..-..T..:..:..\\....Z INFO ready\n"));
}

}  // namespace
}  // namespace extproc
