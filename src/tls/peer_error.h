#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>

namespace extproc::tls {

/// Why the certificate of the server, or one between it and its CA, is not trusted, from within a
/// callback of verification that was told so. `expected`: the name that it should be for.
std::string certificate_error(X509_STORE_CTX* store, const std::string& expected);

/// Of a client: what the oldest of OpenSSL's errors says, all of which are then forgotten.
/// `has_certificate`: the client showed one; `was_asked`: it was asked for one and had none.
std::string session_error(bool has_certificate, bool was_asked);

/// Of a client that was asked for a certificate and had none.
inline constexpr const char* kCertificateAskedFor =
    "the server demands a client certificate (mutual TLS): give one with --tls-cert and --tls-key";

}  // namespace extproc::tls
