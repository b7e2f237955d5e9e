#include "log/log_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "extproc/error.h"
#include "log/line_buffer.h"
#include "log/line_rates.h"
#include "log/make_logger.h"

namespace extproc::log {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::Throws;

/// Long enough that nothing is lost by it where it holds.
constexpr std::chrono::seconds kSoon{20};

class LogWriterTest : public ::testing::Test {
 protected:
  LogWriterTest() { fs::create_directories(folder); }
  ~LogWriterTest() override { fs::remove_all(folder); }

  static std::vector<std::string> lines_of(const fs::path& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  /// A pipe whose reader takes nothing until it is asked to.
  UniqueFd make_pipe() {
    ::mkfifo(file.c_str(), 0600);
    return UniqueFd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  static std::string read_all(int fd, LogWriter& writer) {
    std::string all;
    std::vector<char> bytes(1 << 16);
    // Until there was nothing to be read when all was written.
    for (bool last = false;;) {
      const ssize_t count = ::read(fd, bytes.data(), bytes.size());
      if (count > 0) {
        all.append(bytes.data(), static_cast<std::size_t>(count));
      } else if (last) {
        return all;
      }
      last = writer.flush(std::chrono::milliseconds(1));
    }
  }

  const fs::path folder = fs::temp_directory_path() / ("extproc-log-" + std::to_string(::getpid()));
  const fs::path file = folder / "log";
};

LogLine of(LineKind kind, std::string_view event) {
  return {.level = LogLevel::warning, .kind = kind, .event = event};
}

TEST_F(LogWriterTest, AppendsLinesInTheirOrder) {
  std::ofstream(file) << "before\n";
  LogWriter writer(LogFormat::text, LogFile(file));
  writer.take(of(LineKind::server, "one"));
  writer.take(of(LineKind::failure, "two"));
  ASSERT_TRUE(writer.flush(kSoon));
  const auto lines = lines_of(file);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0], "before");
  EXPECT_TRUE(lines[1].ends_with(" : WARNING : one"));
  EXPECT_TRUE(lines[2].ends_with(" : WARNING : two"));
  EXPECT_EQ(writer.lost().dropped, 0U);
}

TEST_F(LogWriterTest, LeavesOutTooManyOfAKindAndTellsHowMany) {
  constexpr int kLines = 5'000;
  {
    LogWriter writer(LogFormat::text, LogFile(file));
    for (int i = 0; i < kLines; ++i) writer.take(of(LineKind::malformed_message, "bad"));
    writer.take(of(LineKind::server, "still told"));
    EXPECT_GT(writer.lost().left_out, 0U);
  }
  int bad = 0;
  int left_out = 0;
  bool still_told = false;
  for (const std::string& line : lines_of(file)) {
    bad += line.ends_with(": bad") ? 1 : 0;
    still_told = still_told || line.ends_with(": still told");
    const auto at = line.find(" more lines about malformed messages were left out");
    if (at == std::string::npos) continue;
    const auto number = line.rfind(' ', at - 1) + 1;
    left_out += std::stoi(line.substr(number));
  }
  EXPECT_TRUE(still_told);
  EXPECT_GE(bad, static_cast<int>(kLinesPerSecond));
  EXPECT_EQ(bad + left_out, kLines);
}

TEST_F(LogWriterTest, TellsOfLinesThatWereLeftOutWithoutFurtherOnes) {
  LogWriter writer(LogFormat::text, LogFile(file));
  for (std::uint32_t i = 0; i < 3 * kLinesPerSecond; ++i) writer.take(of(LineKind::failure, "bad"));
  bool told = false;
  for (int i = 0; i < 2'000 && !told; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (const std::string& line : lines_of(file))
      told = told || line.ends_with("a second are written");
  }
  EXPECT_TRUE(told);
}

TEST_F(LogWriterTest, NobodyWaitsForAPipeThatIsNotRead) {
  const UniqueFd reader = make_pipe();
  LogWriter writer(LogFormat::text, LogFile(file));
  const std::string words(3'900, 'x');
  std::uint64_t sent = 0;
  // But one, of which some are admitted afterwards.
  const auto send_to_each_kind = [&] {
    for (std::size_t kind = 1; kind < kLineKinds; ++kind, ++sent)
      writer.take(of(static_cast<LineKind>(kind), words));
  };
  // More than a pipe and the queue have room for, so that it would never return if it waited.
  for (std::uint32_t i = 0; i < kLinesPerSecond; ++i) send_to_each_kind();
  const std::uint64_t dropped = writer.lost().dropped;
  EXPECT_GT(dropped, 0U);
  EXPECT_FALSE(writer.flush(std::chrono::milliseconds(0)));

  // What was not dropped is all there when somebody reads, whole, and how many are not is told.
  std::istringstream all(read_all(reader.get(), writer));
  std::vector<std::string> lines;
  for (std::string line; std::getline(all, line);) lines.push_back(line);
  // In more than one line where the thread was late to begin.
  std::uint64_t told = 0;
  for (const std::string& line : lines) {
    const auto at = line.find(" lines of the log were dropped");
    if (at != std::string::npos) told += std::stoull(line.substr(line.rfind(' ', at - 1) + 1));
  }
  EXPECT_EQ(told, dropped);
  EXPECT_THAT(
      lines,
      Contains(HasSubstr(words)).Times(static_cast<int>(sent - dropped - writer.lost().left_out)));
  writer.take(of(LineKind::other, "there is room again"));
  EXPECT_THAT(read_all(reader.get(), writer), HasSubstr("there is room again"));
  EXPECT_EQ(writer.lost().dropped, dropped);
}

TEST_F(LogWriterTest, EndsThoughNobodyReads) {
  const UniqueFd reader = make_pipe();
  LogWriter writer(LogFormat::text, LogFile(file));
  const std::string words(3'900, 'x');
  for (std::uint32_t i = 0; i < kLinesPerSecond; ++i) writer.take(of(LineKind::server, words));
  // It would not return where it waited for the reader.
  writer.close();
  EXPECT_GT(writer.lost().dropped, 0U);
  writer.take(of(LineKind::server, "too late"));
}

TEST_F(LogWriterTest, CountsWhatCannotBeWritten) {
  LogWriter writer(LogFormat::text, LogFile("/dev/full"));
  for (int i = 0; i < 3; ++i) writer.take(of(LineKind::server, "x"));
  ASSERT_TRUE(writer.flush(kSoon));
  EXPECT_GE(writer.lost().dropped, 3U);
}

TEST_F(LogWriterTest, OpensItsFileAnew) {
  const fs::path moved = folder / "log.1";
  LogWriter writer(LogFormat::text, LogFile(file));
  writer.take(of(LineKind::server, "old"));
  ASSERT_TRUE(writer.flush(kSoon));
  fs::rename(file, moved);
  writer.take(of(LineKind::server, "still the old one"));
  ASSERT_TRUE(writer.flush(kSoon));
  writer.reopen();
  writer.take(of(LineKind::server, "first"));
  ASSERT_TRUE(writer.flush(kSoon));
  writer.take(of(LineKind::server, "second"));
  ASSERT_TRUE(writer.flush(kSoon));
  EXPECT_THAT(lines_of(moved), Contains(HasSubstr("still the old one")));
  EXPECT_THAT(lines_of(file), Contains(HasSubstr("second")));
  EXPECT_THAT(lines_of(moved), Each(::testing::Not(HasSubstr("second"))));
}

TEST_F(LogWriterTest, OpensItsFileAnewBeforeTheFirstLine) {
  LogWriter writer(LogFormat::text, LogFile(file));
  fs::remove(file);
  writer.reopen();
  bool is_there = false;
  for (int i = 0; i < 2'000 && !is_there; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    is_there = fs::exists(file);
  }
  EXPECT_TRUE(is_there);
}

TEST_F(LogWriterTest, GoesOnInTheOldFileWhereANewOneCannotBeMade) {
  LogWriter writer(LogFormat::text, LogFile(file));
  const fs::path moved = fs::path(folder.string() + ".moved");
  fs::rename(folder, moved);
  writer.reopen();
  writer.take(of(LineKind::server, "on"));
  ASSERT_TRUE(writer.flush(kSoon));
  writer.take(of(LineKind::server, "and on"));
  ASSERT_TRUE(writer.flush(kSoon));
  EXPECT_THAT(lines_of(moved / "log"),
              AllOf(Contains(HasSubstr("cannot be opened anew: No such file")),
                    Contains(HasSubstr("and on"))));
  fs::rename(moved, folder);
}

TEST_F(LogWriterTest, RefusesAFileThatCannotBeWritten) {
  EXPECT_THAT(
      [this] { LogFile a_folder(folder); },
      ::testing::ThrowsMessage<Error>(AllOf(HasSubstr(folder.string()), HasSubstr("directory"))));
  ::mkfifo(file.c_str(), 0600);
  // Its reader is not waited for.
  EXPECT_THAT([this] { LogFile nobody_reads(file); }, Throws<Error>());
}

TEST_F(LogWriterTest, LoggersToOneFileShareItsBounds) {
  const Destination destination{.file = file};
  const Logger one = make_logger(LogLevel::info, destination);
  const Logger other = make_logger(LogLevel::info, destination);
  for (std::uint32_t i = 0; i < 3 * kLinesPerSecond; ++i)
    (i % 2 == 0 ? one : other).log(LogLevel::info, LineKind::server, "x");
  EXPECT_GE(one.lost().left_out, kLinesPerSecond);
  EXPECT_EQ(one.lost().left_out, other.lost().left_out);
}

TEST_F(LogWriterTest, TakesLinesOfManyThreads) {
  std::string first;
  {
    LogWriter writer(LogFormat::json, LogFile(file));
    std::vector<std::thread> threads;
    for (std::size_t kind = 0; kind < kLineKinds; ++kind) {
      threads.emplace_back([&writer, kind] {
        for (std::uint32_t i = 0; i < kLinesPerSecond; ++i)
          writer.take(of(static_cast<LineKind>(kind), "from a thread"));
      });
    }
    for (std::thread& thread : threads) thread.join();
    writer.reopen();
  }
  EXPECT_THAT(lines_of(file), AllOf(SizeIs(kLineKinds * kLinesPerSecond),
                                    Each(HasSubstr(R"("message":"from a thread"})"))));
}

}  // namespace
}  // namespace extproc::log
