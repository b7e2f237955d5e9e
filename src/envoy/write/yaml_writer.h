#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace extproc::envoy_config {

/// YAML text, line by line, with the indentation that its open blocks have.
class YamlWriter {
 public:
  /// Holds the lines that are written while it lives deeper than those before it.
  class [[nodiscard]] Block {
   public:
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block() { --writer_.depth_; }

   private:
    friend class YamlWriter;
    explicit Block(YamlWriter& writer) : writer_(writer) { ++writer_.depth_; }
    YamlWriter& writer_;
  };

  void line(std::string_view text);
  void empty_line() { text_ += '\n'; }
  void field(std::string_view key, std::string_view value);
  /// Broken into lines of a readable width.
  void comment(std::string_view text);
  /// `key:`, with what follows below it.
  Block block(std::string_view key);
  Block indent() { return Block(*this); }
  /// "- " and the first field of an item, with its other fields below.
  Block item(std::string_view first_line);

  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
  std::size_t depth_ = 0;
};

/// A string as a YAML scalar, in quotes where it needs them.
std::string scalar(std::string_view text);
/// The same, in quotes in any case.
std::string quoted(std::string_view text);

}  // namespace extproc::envoy_config
