#pragma once

#include <string>

#include "tls/handles.h"
#include "tls/pem.h"

namespace extproc::tls {

/// What ALPN has of HTTP/2, with its length before it.
inline constexpr unsigned char kHttp2Protocol[] = {2, 'h', '2'};

/// For `side`, TLS_server_method() or TLS_client_method(): 1.2 or later, nothing resumed, nothing
/// renegotiated. Throws Error.
SslContextPtr make_context(const SSL_METHOD* side);

// Of a server and of a client alike. Each throws Error, which names the source of what cannot be
// used.

/// The first certificate, those behind it, and the first one's key. Gives its subject.
std::string use_certificate(SSL_CTX* context, const Pem& certificate, const Pem& key);
/// What is trusted of the other side.
void trust(SSL_CTX* context, const Pem& authorities);

}  // namespace extproc::tls
