#include "server/memory_limit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace extproc::server {
namespace {

/// A file system with what tells of cgroups.
class MemoryLimit : public ::testing::Test {
 protected:
  MemoryLimit() : root_(::testing::TempDir() + "memory_limit") {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~MemoryLimit() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::size_t usable() const { return usable_memory(root_); }

  static constexpr std::size_t kSome = 100'000'000;

 private:
  const std::string root_;
};

TEST_F(MemoryLimit, IsTheMachinesMemoryWithoutCgroups) {
  const std::size_t machine = usable();
  EXPECT_GT(machine, kSome);
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(usable(), machine);
}

TEST_F(MemoryLimit, IsThatOfItsCgroup) {
  write("/proc/self/cgroup", "0::/pods/one\n");
  write("/sys/fs/cgroup/pods/one/memory.max", std::to_string(kSome) + "\n");
  write("/sys/fs/cgroup/pods/memory.max", "max\n");
  EXPECT_EQ(usable(), kSome);
}

TEST_F(MemoryLimit, IsTheLeastOfThoseThatItIsIn) {
  write("/proc/self/cgroup", "0::/pods/one\n");
  write("/sys/fs/cgroup/pods/one/memory.max", std::to_string(kSome) + "\n");
  write("/sys/fs/cgroup/pods/memory.max", std::to_string(kSome / 2) + "\n");
  EXPECT_EQ(usable(), kSome / 2);
}

// A container sees its own cgroup as the root, and perhaps the machine's path to it.
TEST_F(MemoryLimit, IsThatOfTheRootInAContainer) {
  write("/proc/self/cgroup", "0::/machine/container-1\n");
  write("/sys/fs/cgroup/memory.max", std::to_string(kSome) + "\n");
  EXPECT_EQ(usable(), kSome);
}

TEST_F(MemoryLimit, IsThatOfVersionOne) {
  write("/proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/b\n0::/c\n");
  write("/sys/fs/cgroup/memory/b/memory.limit_in_bytes", std::to_string(kSome) + "\n");
  EXPECT_EQ(usable(), kSome);
}

TEST_F(MemoryLimit, TakesNothingFromWhatItCannotRead) {
  const std::size_t machine = usable();
  write("/proc/self/cgroup", "nonsense\n:\n0::");
  write("/sys/fs/cgroup/memory.max", "-\n");
  EXPECT_EQ(usable(), machine);
  write("/proc/self/cgroup", "0::no-slash\n");
  EXPECT_EQ(usable(), machine);
}

TEST(DefaultMemoryBytes, IsAtMostAGibibyte) {
  EXPECT_GT(default_memory_bytes(), 0U);
  EXPECT_LE(default_memory_bytes(), std::size_t{1} << 30);
  EXPECT_LE(default_memory_bytes(), usable_memory() / 4);
}

}  // namespace
}  // namespace extproc::server
