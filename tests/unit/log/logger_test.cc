#include "base/logger.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "log/line_buffer.h"
#include "log/make_logger.h"

namespace extproc {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

Logger logger_to(std::vector<std::string>& lines, LogLevel level) {
  return log::make_logger(
      level, {.sink = [&lines](LogLevel of, std::string_view message) {
        lines.push_back(std::string(to_string(of)) + " " + std::string(message));
      }});
}

TEST(Logger, HandsOnWhatItsLevelLetsThrough) {
  std::vector<std::string> lines;
  const Logger logger = logger_to(lines, LogLevel::warning);
  logger.log(LogLevel::debug, LineKind::other, "a");
  logger.log(LogLevel::info, LineKind::other, "b");
  logger.log(LogLevel::warning, LineKind::other, "c");
  logger.log(LogLevel::critical, LineKind::other, "d");
  EXPECT_THAT(lines, ElementsAre("WARNING c", "CRITICAL d"));
}

TEST(Logger, OffLetsNothingThrough) {
  std::vector<std::string> lines;
  logger_to(lines, LogLevel::off).log(LogLevel::critical, LineKind::other, "a");
  EXPECT_THAT(lines, ElementsAre());
}

TEST(Logger, SurvivesASinkThatThrows) {
  const Logger logger = log::make_logger(
      LogLevel::debug, {.sink = [](LogLevel, std::string_view) { throw std::bad_alloc(); }});
  logger.log(LogLevel::error, LineKind::other, "a");
}

TEST(Logger, HandsAProgramsOwnSinkEachLineAsText) {
  std::vector<std::string> lines;
  const Logger logger = logger_to(lines, LogLevel::debug);
  for (int i = 0; i < 1'000; ++i) {
    logger.log({.level = LogLevel::error,
                .kind = LineKind::failure,
                .event = "failed",
                .detail = "a\nb\u202e",
                .processor = "Test",
                .phase = Phase::request_body,
                .request_id = "id-1"});
  }
  ASSERT_THAT(lines, SizeIs(1'000));
  EXPECT_EQ(lines.back(), "ERROR Test: request_body failed for request id-1: a\\x0ab\\u202e");
  const std::string long_words(100'000, 'x');
  logger.log(LogLevel::error, LineKind::other, long_words);
  EXPECT_LE(lines.back().size(), log::kLineBytes + std::string_view("ERROR ").size());
  EXPECT_EQ(logger.lost().left_out, 0U);
}

TEST(Logger, WritesLinesToStandardError) {
  ::testing::internal::CaptureStderr();
  log_to_stderr(LogLevel::info, "ready");
  EXPECT_TRUE(log::flush(std::chrono::seconds(10)));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex("....-..-..T..:..:..\\....Z : INFO : ready\n"));
}

}  // namespace
}  // namespace extproc
