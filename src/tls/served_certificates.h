#pragma once

#include <vector>

#include "server/transport.h"
#include "tls/server_context.h"

namespace extproc::tls {

/// Those of the server and of its clients' CAs, for people. Throws Error where one cannot be read.
std::vector<server::ServedCertificate> served_certificates(const Material& material);

}  // namespace extproc::tls
