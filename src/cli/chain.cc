#include "cli/chain.h"

#include "extproc/error.h"

namespace extproc::cli {

Service make_chain(std::vector<Service> /*services*/) {
  throw Error(
      "several processors on one port are not supported yet: add --separate, which serves each on "
      "a "
      "port of its own");
}

}  // namespace extproc::cli
