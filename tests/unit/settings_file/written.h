#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "setting_text/refusal.h"

namespace extproc::settings_file {

/// A file of its own, which is gone with it.
class Written {
 public:
  explicit Written(std::string_view text)
      : path_(::testing::TempDir() + "settings-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml") {
    write(text);
  }
  ~Written() { std::filesystem::remove(path_); }

  void write(std::string_view text) const { std::ofstream(path_) << text; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using setting_text::refusal_of;

}  // namespace extproc::settings_file
