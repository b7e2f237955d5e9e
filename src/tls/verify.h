#pragma once

#include <string>

#include "server/transport.h"
#include "tls/identity.h"

namespace extproc::tls {

/// What verify() needs of the session whose client showed a certificate, and tells it; the app data
/// of its SSL.
struct Verification {
  const AllowedNames& allowed;
  /// Where the certificate was refused.
  server::SecureFailure failure{};
};

/// For SSL_CTX_set_verify: refuses names that are not allowed, and says why a certificate is
/// refused.
int verify(int valid, X509_STORE_CTX* store);

/// Why a handshake, or a connection, failed: the last error of OpenSSL, in the words of whoever has
/// to mend it. Its queue is empty then.
server::SecureFailure failure_of_last_error();

/// ALPN was not asked for.
server::SecureFailure failure_without_protocol();

}  // namespace extproc::tls
