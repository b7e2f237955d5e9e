#pragma once

#include <string>

#include "tls/handles.h"
#include "tls/pem.h"

namespace extproc::tls {

// Of a server and of a client alike. Each throws Error, which names the source of what cannot be
// used.

/// The first certificate, those behind it, and the first one's key. Gives its subject.
std::string use_certificate(SSL_CTX* context, const Pem& certificate, const Pem& key);
/// What is trusted of the other side.
void trust(SSL_CTX* context, const Pem& authorities);

}  // namespace extproc::tls
