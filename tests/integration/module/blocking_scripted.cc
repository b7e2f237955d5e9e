#include "scripted.h"

namespace test_processors {

/// The same on the blocking threads, where it may sleep.
class BlockingScripted : public Scripted {
 public:
  bool blocking() const override { return true; }
};

EXTPROC_EXPORT(BlockingScripted)

}  // namespace test_processors
