#include "settings_file/json_text.h"

namespace extproc::settings_file {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

void JsonText::next(std::string_view key) {
  if (!first_) text_ += ',';
  if (!text_.empty()) text_ += '\n' + std::string(2 * ends_.size(), ' ');
  if (!key.empty()) text_ += quoted(key) + ": ";
  first_ = false;
}

void JsonText::begin(std::string_view key, char open, char close) {
  next(key);
  text_ += open;
  ends_ += close;
  first_ = true;
}

void JsonText::end() {
  const char close = ends_.back();
  ends_.pop_back();
  if (!first_) text_ += '\n' + std::string(2 * ends_.size(), ' ');
  text_ += close;
  first_ = false;
}

void JsonText::text(std::string_view key, std::string_view value) { raw(key, quoted(value)); }

void JsonText::raw(std::string_view key, std::string_view value) {
  next(key);
  text_ += value;
}

}  // namespace extproc::settings_file
