#include "cli/child_process.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "cli/temporary_folder.h"
#include "extproc/error.h"

namespace extproc::cli {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string kShell = "/bin/sh";

std::string wait_for_end(ChildProcess& child) {
  for (int i = 0; i < 500 && !child.ended(); ++i) std::this_thread::sleep_for(10ms);
  return child.ended().value_or("still running");
}

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ChildProcess, ItsOutputAndItsEnd) {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  ChildProcess child({kShell, "-c", "echo out; echo err >&2; exit 3"}, log);
  EXPECT_EQ(wait_for_end(child), "status 3");
  EXPECT_EQ(read(log), "out\nerr\n");
}

TEST(ChildProcess, IsAskedToEnd) {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  ChildProcess child({kShell, "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"},
                     log);
  for (int i = 0; i < 500 && read(log).empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(child.ended(), std::nullopt);
  child.stop(5s);
  EXPECT_EQ(child.ended(), "status 7");
}

TEST(ChildProcess, IsEndedWhenItDoesNotListen) {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  ChildProcess child({kShell, "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"}, log);
  for (int i = 0; i < 500 && read(log).empty(); ++i) std::this_thread::sleep_for(10ms);
  child.stop(50ms);
  EXPECT_EQ(child.ended(), "signal 9");
}

TEST(ChildProcess, AProgramThatIsNotThere) {
  const TemporaryFolder folder;
  try {
    const ChildProcess child({"/no/such/program"}, folder.path() / "log");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot start /no/such/program: No such file or directory");
  }
}

TEST(TemporaryFolder, IsGoneAfterwards) {
  fs::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    std::ofstream(path / "file") << "text";
    EXPECT_TRUE(fs::is_directory(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace extproc::cli
