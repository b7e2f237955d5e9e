#pragma once

#include <cstddef>

#include "allocations.h"
#ifdef BENCH_HAS_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#endif

namespace bench {

/// What happens while it lives is counted: instructions by callgrind, calls of operator new.
class Measured {
 public:
  Measured() {
    count_allocations(true);
    CALLGRIND_TOGGLE_COLLECT;
  }
  ~Measured() {
    CALLGRIND_TOGGLE_COLLECT;
    count_allocations(false);
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;
};

}  // namespace bench
