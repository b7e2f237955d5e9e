#include "settings_file/tree.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/setting_limits.h"
#include "extproc/error.h"
#include "setting_text/yaml.h"

namespace extproc::settings_file {
namespace {

using detail::SettingNode;

bool is_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text == ".inf" || text == ".nan") return true;
  if (text.empty() || !(text.front() == '.' || (text.front() >= '0' && text.front() <= '9')))
    return false;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return end == text.data() + text.size() && error != std::errc::invalid_argument;
}

}  // namespace

bool is_text(const SettingNode& scalar) {
  if (scalar.quoted) return true;
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (scalar.text == word) return false;
  }
  return !is_number(scalar.text);
}

std::string read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw Error(path + ": there is no such file");
  if (!std::filesystem::is_regular_file(path, error)) throw Error(path + " is no file");
  std::ifstream in(path, std::ios::binary);
  std::string text(kMostSettingBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && in.fail()) throw Error(path + ": cannot be read: look at its permissions");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMostSettingBytes)
    throw Error(path + " has more than " + std::to_string(kMostSettingBytes) + " bytes");
  return text;
}

SettingNode read_tree(std::string_view text, Errors& errors) {
  return setting_text::read_yaml(
      text, errors.file(), [&](int line, std::string why) { errors.add(line, std::move(why)); });
}

}  // namespace extproc::settings_file
