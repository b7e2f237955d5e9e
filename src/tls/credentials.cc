#include "tls/credentials.h"

#include <openssl/err.h>

#include "extproc/error.h"
#include "tls/identity.h"

namespace extproc::tls {

SslContextPtr make_context(const SSL_METHOD* side) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(side));
  if (context == nullptr) throw Error("OpenSSL cannot be used: " + last_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Connections live for hours; one that is resumed would not look at a certificate again.
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

std::string use_certificate(SSL_CTX* context, const Pem& certificate, const Pem& key) {
  const auto chain = certificates(certificate);
  const auto read_key = private_key(key);
  std::string subject = subject_of(chain.front().get());
  ERR_clear_error();
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
    throw Error(certificate.source + ": the certificate cannot be used: " + last_error());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      throw Error(certificate.source + ": certificate " + std::to_string(i + 1) +
                  " cannot be used: " + last_error());
    }
  }
  if (X509_check_private_key(chain.front().get(), read_key.get()) != 1) {
    ERR_clear_error();
    throw Error(key.source + ": the key does not belong to the first certificate of " +
                certificate.source + " (" + subject + ")");
  }
  if (SSL_CTX_use_PrivateKey(context, read_key.get()) != 1)
    throw Error(key.source + ": the key cannot be used: " + last_error());
  return subject;
}

void trust(SSL_CTX* context, const Pem& authorities) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const auto& authority : certificates(authorities)) {
    if (X509_STORE_add_cert(store, authority.get()) != 1)
      throw Error(authorities.source + ": a certificate cannot be used: " + last_error());
  }
  // Whoever is named is trusted, a CA between a root and others too.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

}  // namespace extproc::tls
