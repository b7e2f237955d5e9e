#include <stdexcept>

#include "tls.h"

namespace bench::load {

Connector tls_connector(const std::string& /*ca*/, std::function<int()> /*connect*/) {
  throw std::invalid_argument("--tls-ca: this program is built without TLS, see EXTPROC_TLS");
}

}  // namespace bench::load
