#pragma once

#include <functional>
#include <string>

#include "socket.h"

namespace bench::load {

/// `connect` gives a connected socket that blocks, until its handshake is done. Throws where the
/// CAs cannot be read, and where the program is built without TLS (without_tls.cc).
Connector tls_connector(const std::string& ca, std::function<int()> connect);

}  // namespace bench::load
