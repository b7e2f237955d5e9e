#include "tls/server_context.h"

#include <algorithm>
#include <array>
#include <utility>

#include "extproc/error.h"
#include "tls/credentials.h"
#include "tls/verify.h"

namespace extproc::tls {
namespace {

// AES-128 first: the cheapest where the processor knows it; ChaCha20 for clients that do not.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, size, kHttp2Protocol, sizeof kHttp2Protocol,
                                           offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// The last tenth of a certificate's life.
constexpr long long kLastPart = 10;

/// Null for now.
long long seconds_between(const ASN1_TIME* from, const ASN1_TIME* until) {
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, from, until) != 1) return 0;
  return 86'400LL * days + seconds;
}

/// Every client would refuse others, and blame something else.
void require_for_servers(X509* certificate, const std::string& source) {
  if (X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) != 1) {
    throw Error(source +
                ": the certificate is not for servers: its key usage, or its extended key usage "
                "(serverAuth), does not allow it");
  }
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  std::array<char, 64> curve{};
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
      EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) != 1)
    return;
  for (const std::string_view known : {"prime256v1", "secp384r1", "secp521r1"}) {
    if (known == curve.data()) return;
  }
  throw Error(source + ": the certificate's key is of the curve " + curve.data() +
              ", which TLS clients do not take: make one of P-256, P-384 or P-521");
}

Pem require(Pem pem, std::string_view setting, std::string_view other) {
  if (!pem.empty()) return pem;
  throw Error("TlsSettings::" + std::string(setting) + " is missing: " + std::string(other) +
              " is given, and TLS needs both");
}

}  // namespace

Material load_material(const TlsSettings& settings) {
  Material all{.certificate = load("certificate", settings.certificate_file, settings.certificate),
               .key = load("key", settings.key_file, settings.key),
               .client_ca = load("client_ca", settings.client_ca_file, settings.client_ca),
               .crl = load("crl", settings.crl_file, settings.crl)};
  if (all.certificate.empty() && all.key.empty())
    throw Error("TlsSettings have no certificate and no key: TLS needs both");
  all.certificate = require(std::move(all.certificate), "certificate", "the key");
  all.key = require(std::move(all.key), "key", "the certificate");
  if (all.client_ca.empty() && (!all.crl.empty() || !settings.allowed_sans.empty())) {
    throw Error(std::string(all.crl.empty() ? "names that clients may have (allowed_sans)"
                                            : "revoked certificates (crl)") +
                " are given and no CA of clients (client_ca): without one no client is asked for "
                "a certificate");
  }
  return all;
}

ServerContext::ServerContext(const Material& material, AllowedNames allowed, TlsVersion min_version)
    : context_(make_context(TLS_server_method())), allowed_(std::move(allowed)) {
  SSL_CTX* context = context_.get();
  if (min_version == TlsVersion::v1_3) SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_ciphersuites(context, kSuites);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_num_tickets(context, 0);
  // An idle connection keeps no buffers of records.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  subject_ = use_certificate(context, material.certificate, material.key);
  require_for_servers(SSL_CTX_get0_certificate(context), material.certificate.source);
  if (!material.client_ca.empty()) ask_for_certificate(material);
}

void ServerContext::ask_for_certificate(const Material& material) {
  asks_for_certificate_ = true;
  SSL_CTX* context = context_.get();
  trust(context, material.client_ca);
  // Which CAs count, so that a client with several certificates can choose.
  for (const auto& authority : certificates(material.client_ca))
    SSL_CTX_add_client_CA(context, authority.get());
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  if (!material.crl.empty()) {
    for (const auto& list : revocation_lists(material.crl)) {
      if (X509_STORE_add_crl(store, list.get()) != 1)
        throw Error(material.crl.source + ": a list cannot be used: " + last_error());
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &verify);
}

SslPtr ServerContext::make_ssl() const { return SslPtr(SSL_new(context_.get())); }

std::string ServerContext::valid_until() const {
  return time_text(X509_get0_notAfter(SSL_CTX_get0_certificate(context_.get())));
}

std::string ServerContext::validity_problem() const {
  const X509* certificate = SSL_CTX_get0_certificate(context_.get());
  const ASN1_TIME* from = X509_get0_notBefore(certificate);
  const ASN1_TIME* until = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(until) < 0) return "expired on " + time_text(until);
  if (X509_cmp_current_time(from) > 0) return "is not valid before " + time_text(from);
  // What renews certificates does so at two thirds of their life.
  if (seconds_between(nullptr, until) < seconds_between(from, until) / kLastPart)
    return "expires on " + time_text(until) + " and was not renewed";
  return "";
}

}  // namespace extproc::tls
