#include "scripted.h"

namespace test_processors {

EXTPROC_EXPORT(Scripted)

}  // namespace test_processors
