#pragma once

#include <cstdio>
#include <cstdlib>

namespace extproc::fuzz {

/// Ends the run, which libFuzzer then reports, when something that must hold does not.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace extproc::fuzz
