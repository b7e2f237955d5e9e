#pragma once

#include <string>

namespace extproc::setting_text {

/// "serve.yaml:12", or without a line the name alone.
inline std::string place(const std::string& name, int line) {
  return line > 0 ? name + ":" + std::to_string(line) : name;
}

}  // namespace extproc::setting_text
