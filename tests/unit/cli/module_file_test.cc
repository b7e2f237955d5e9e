#include "modules/module_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "extproc/error.h"

namespace extproc::modules {
namespace {

using namespace std::string_literals;

TEST(ModuleFile, FindsTheDescriptor) {
  const ModuleDescriptor expected{"1.2.3", "itanium 1017"};
  const std::string text = "extproc module: version 1.2.3 abi itanium 1017\n";
  EXPECT_EQ(find_descriptor(text), expected);
  EXPECT_EQ(find_descriptor("\0\x7F"s + text + "\0more"s), expected);
  // What only speaks of the mark is passed over.
  EXPECT_EQ(find_descriptor("extproc module: version \0"s + text), expected);
}

TEST(ModuleFile, FindsNothingElsewhere) {
  for (const auto& bytes :
       {""s, "extproc module: version "s, "extproc module: version 1.2.3\n"s,
        "extproc module: version 1.2.3 abi cut off"s, "\x7F"s + "ELF" + std::string(4096, '\0')}) {
    EXPECT_EQ(find_descriptor(bytes), std::nullopt) << bytes;
  }
}

TEST(ModuleFile, ReadsFiles) {
  const std::filesystem::path modules = TEST_MODULES;
  EXPECT_EQ(read_descriptor(modules / "good.so"), host_descriptor());
  EXPECT_EQ(read_descriptor(modules / "plain.so"), std::nullopt);
  EXPECT_THROW(read_descriptor(modules / "missing.so"), Error);
}

}  // namespace
}  // namespace extproc::modules
