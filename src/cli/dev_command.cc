#include "cli/commands.h"
#include "extproc/error.h"

namespace extproc::cli {

int run(const DevOptions& /*options*/) { throw Error("not yet"); }

}  // namespace extproc::cli
