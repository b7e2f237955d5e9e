#include "envoy/write/document_parts.h"

namespace extproc::envoy_config {

void write_title(YamlWriter& out, std::string_view what, const std::vector<Processor>& processors) {
  std::string names;
  for (const Processor& processor : processors) {
    names += (names.empty() ? "" : ", ") + processor.needs.name;
  }
  out.comment(std::string(what) + ": " + names + ". Written by `extproc config`.");
}

std::string duration(std::chrono::milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (const auto rest = time.count() % 1000; rest != 0) {
    std::string digits = std::to_string(1000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + "s";
}

void write_type(YamlWriter& out, std::string_view type) {
  out.line("\"@type\": " + std::string(kTypes) + std::string(type));
}

}  // namespace extproc::envoy_config
