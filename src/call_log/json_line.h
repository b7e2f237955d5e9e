#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace extproc::call_log {

/// Puts one object of JSON, and a newline, together in at most so many bytes. What does not fit is
/// cut or left out, and a last member says so.
class JsonLine {
 public:
  /// `out` is emptied, and lives as long as this.
  JsonLine(std::string& out, std::size_t most);

  /// A text of any bytes, of which at most `most` are written.
  void text(std::string_view name, std::string_view value, std::size_t most = std::string::npos);
  void number(std::string_view name, std::int64_t value);
  /// No number of JSON: null.
  void number(std::string_view name, double value);
  void boolean(std::string_view name, bool value);
  void milliseconds(std::string_view name, std::chrono::nanoseconds value);

  /// A text in pieces, of at most `most` bytes together.
  bool begin_text(std::string_view name, std::size_t most = std::string::npos);
  void piece(std::string_view value);
  void end_text();

  /// An object as a member; nothing may be put in it where this is false.
  bool begin_object(std::string_view name);
  void end_object();

  void finish();

 private:
  static constexpr std::string_view kCut = ",\"cut\":true";

  /// What can still be written without anything behind it being missing.
  std::size_t room() const {
    const std::size_t kept = kCut.size() + sizeof("}\n") - 1 + depth_;
    return out_.size() + kept >= most_ ? 0 : most_ - out_.size() - kept;
  }
  /// The name, where there is room for it and for `bytes` behind.
  bool member(std::string_view name, std::size_t bytes);
  void raw(std::string_view name, std::string_view value);
  bool escape(std::string_view value, std::size_t end);

  std::string& out_;
  const std::size_t most_;
  std::size_t text_end_ = 0;
  std::size_t depth_ = 0;
  bool cut_ = false;
};

}  // namespace extproc::call_log
