#include "cli/tls_build.h"

namespace extproc::cli {

std::string why_no_tls([[maybe_unused]] std::string_view flag) {
#ifdef EXTPROC_WITH_TLS
  return "";
#else
  return std::string(flag) +
         ": this extproc was built without TLS; build it with -DEXTPROC_TLS=ON, which needs "
         "OpenSSL 3";
#endif
}

}  // namespace extproc::cli
