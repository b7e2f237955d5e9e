#include "server/file_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace extproc::server {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class FileWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("extproc-watch-" + std::to_string(::getpid()));
    fs::create_directory(folder_);
    write("a");
    watch_.start();
  }
  void TearDown() override {
    watch_.close();
    fs::remove_all(folder_);
  }
  fs::path file() const { return folder_ / "a.pem"; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  /// How often it was told within the time.
  int told_in(std::chrono::milliseconds time) {
    const int before = told_;
    io_.restart();
    io_.run_for(time);
    return told_ - before;
  }
  /// Whether it was told soon.
  bool told() {
    for (int i = 0; i < 100; ++i) {
      if (told_in(50ms) > 0) return true;
    }
    return false;
  }

  fs::path folder_;
  boost::asio::io_context io_{1};
  int told_ = 0;
  FileWatch watch_{
      io_,
      {fs::temp_directory_path() / ("extproc-watch-" + std::to_string(::getpid())) / "a.pem"},
      [this] { ++told_; }};
};

TEST_F(FileWatchTest, NothingIsToldWhereNothingChanges) { EXPECT_EQ(told_in(400ms), 0); }

TEST_F(FileWatchTest, AFileThatIsWrittenInPlace) {
  write("b");
  EXPECT_TRUE(told());
}

TEST_F(FileWatchTest, AFileThatIsReplacedAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    std::ofstream(folder_ / "new") << i;
    fs::rename(folder_ / "new", file());
    EXPECT_TRUE(told()) << i;
  }
}

TEST_F(FileWatchTest, ALinkThatIsTurned) {
  fs::create_directory(folder_ / "first");
  fs::create_directory(folder_ / "second");
  fs::create_directory_symlink("first", folder_ / "..data");
  EXPECT_TRUE(told());
  fs::create_directory_symlink("second", folder_ / "..new");
  fs::rename(folder_ / "..new", folder_ / "..data");
  EXPECT_TRUE(told());
}

TEST_F(FileWatchTest, ChangesInARowAreToldOnce) {
  for (int i = 0; i < 20; ++i) write(std::to_string(i));
  EXPECT_TRUE(told());
  EXPECT_EQ(told_in(600ms), 0);
}

// Else one that changes all the time would never be told.
TEST_F(FileWatchTest, ChangesWithoutABreakAreToldToo) {
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (told_ == 0 && std::chrono::steady_clock::now() < end) {
    write("b");
    told_in(50ms);
  }
  EXPECT_GT(told_, 0);
}

TEST_F(FileWatchTest, ItCanBeAskedFor) {
  watch_.tell();
  EXPECT_EQ(told_in(100ms), 1);
}

TEST_F(FileWatchTest, ItEndsWhenItIsClosed) {
  write("b");
  watch_.close();
  watch_.tell();
  io_.restart();
  io_.run();
  EXPECT_EQ(told_, 0);
}

}  // namespace
}  // namespace extproc::server
