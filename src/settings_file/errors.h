#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace extproc::settings_file {

/// What is wrong with a file, told at once.
class Errors {
 public:
  explicit Errors(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  /// Line 0: of the file as a whole.
  void add(int line, std::string text);
  /// The same, unless it was added before.
  void add_once(int line, std::string text);
  /// Lines that tell their place themselves, or are of a line that has none.
  void add_told(int line, std::string text);
  bool empty() const { return found_.empty(); }
  /// Throws Error with all of them, or the first 20, in the order of the file.
  void throw_if_any() const;

 private:
  static constexpr std::size_t kMost = 20;

  std::string file_;
  std::vector<std::pair<int, std::string>> found_;
};

}  // namespace extproc::settings_file
