#include "cli/chain.h"

#include <memory>
#include <utility>

#include "extproc/chain.h"

namespace extproc::cli {

Service make_chain(std::vector<Service> services) {
  return Service(std::make_shared<Chain>(std::move(services)));
}

}  // namespace extproc::cli
