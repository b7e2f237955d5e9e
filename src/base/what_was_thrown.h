#pragma once

#include <exception>
#include <string>

namespace extproc {

/// Within a catch block: the text of what it caught.
inline std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "it threw something that is not a std::exception";
  }
}

}  // namespace extproc
