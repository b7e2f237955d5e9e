#pragma once

#include <string>

#include "extproc/error.h"

namespace extproc::setting_text {

/// What is said of what `step` does; empty where it is taken.
template <class Step>
std::string refusal_of(Step step) {
  try {
    step();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace extproc::setting_text
