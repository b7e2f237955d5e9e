#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace extproc::settings_file {

/// JSON as text, indented, put together from the outside in.
class JsonText {
 public:
  /// An object or a list, up to end(); without a key in a list, and the outermost.
  void object(std::string_view key = {}) { begin(key, '{', '}'); }
  void list(std::string_view key = {}) { begin(key, '[', ']'); }
  void end();

  void text(std::string_view key, std::string_view value);
  void item(std::string_view value) { text({}, value); }
  /// A number, true or false, as it is.
  void raw(std::string_view key, std::string_view value);

  /// When all is ended.
  std::string take() { return std::move(text_ += '\n'); }

 private:
  void begin(std::string_view key, char open, char close);
  void next(std::string_view key);

  std::string text_;
  /// The ends that are owed.
  std::string ends_;
  bool first_ = true;
};

}  // namespace extproc::settings_file
