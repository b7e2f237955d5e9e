#include "tls/verify.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <utility>

namespace extproc::tls {
namespace {

using server::SecureFailure;

constexpr std::size_t kMostOfNames = 200;

/// Which of our files it is about, and what to do.
std::string_view advice(int error) {
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "of an unknown CA: it is none of --tls-client-ca (TlsSettings::client_ca), or a "
             "certificate between is missing";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired: give the client a new one";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "not valid yet: look at the clocks of both machines";
    case X509_V_ERR_CERT_REVOKED:
      return "revoked by its CA (--tls-crl)";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return "of a CA of which --tls-crl has no list of revoked certificates: add one for each CA";
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return "of a CA whose list of revoked certificates (--tls-crl) is out of date: renew it";
    case X509_V_ERR_INVALID_PURPOSE:
      return "not made for clients: its extended key usage lacks clientAuth";
    default:
      return {};
  }
}

/// The same of one that signs others.
std::string_view advice_on_ca(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired: renew it where it stands, in --tls-client-ca or in the client's file";
    case X509_V_ERR_INVALID_CA:
      return "none of a CA (its basicConstraints lack CA:TRUE): look at --tls-client-ca, or at the "
             "client's file";
    default:
      return advice(error);
  }
}

SecureFailure failure_of(int error, int depth, const PeerCertificate& peer) {
  const std::string_view known = depth == 0 ? advice(error) : advice_on_ca(error);
  std::string kind =
      std::string(depth == 0 ? "the client's certificate is "
                             : "a CA's certificate behind the client's is ") +
      (known.empty() ? "refused: " + std::string(X509_verify_cert_error_string(error))
                     : std::string(known));
  std::string text = kind + " (subject \"" + peer.subject + "\")";
  return {std::move(kind), std::move(text)};
}

SecureFailure failure_of_names(const PeerCertificate& peer) {
  std::string kind =
      "the client's certificate has none of the names that are allowed (--tls-allow-san, "
      "TlsSettings::allowed_sans)";
  std::string text = kind + ": it has " + names_of(peer, kMostOfNames);
  return {std::move(kind), std::move(text)};
}

/// What our peer thinks of us, where it said so with an alert.
std::string_view alert(int reason) {
  switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the client does not know the CA of this server's certificate: give its "
             "validation_context the right trusted_ca";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the client refuses this server's certificate: it has expired";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return "the client refuses this server's certificate: it is revoked";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return "the client refuses this server's certificate: its names may not be those that the "
             "client expects (match_typed_subject_alt_names)";
    default:
      return {};
  }
}

constexpr std::string_view kNoProtocol =
    "the client does not offer h2 by ALPN: give the common_tls_context of its cluster "
    "alpn_protocols: [h2], which Envoy does not take from the cluster's HTTP/2 options";

std::string_view told(int reason) {
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client showed no certificate, and --tls-client-ca (TlsSettings::client_ca) "
             "demands one: give the cluster's common_tls_context its tls_certificates";
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return kNoProtocol;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      return "the client speaks an older TLS than this server takes (--tls-min-version)";
    case SSL_R_NO_SHARED_CIPHER:
      return "the client offers no cipher that this server takes: AES-GCM or ChaCha20 with ECDHE";
    default:
      return {};
  }
}

}  // namespace

int verify(int valid, X509_STORE_CTX* store) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verification = static_cast<Verification*>(SSL_get_app_data(ssl));
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  if (valid == 0) {
    const PeerCertificate peer = certificate == nullptr ? PeerCertificate{} : describe(certificate);
    verification->failure =
        failure_of(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store), peer);
    return 0;
  }
  if (X509_STORE_CTX_get_error_depth(store) != 0) return 1;
  const PeerCertificate peer = describe(certificate);
  if (verification->allowed.allows(peer)) return 1;
  verification->failure = failure_of_names(peer);
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

SecureFailure failure_of_last_error() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  const int number = ERR_GET_REASON(error);
  ERR_clear_error();
  if (error != 0 && ERR_GET_LIB(error) == ERR_LIB_SSL) {
    for (const std::string_view known : {alert(number), told(number)}) {
      if (!known.empty()) return {std::string(known), std::string(known)};
    }
  }
  const std::string kind =
      std::string("TLS failed: ") +
      (reason == nullptr ? "the connection was not ended as TLS ends" : reason);
  return {kind, kind};
}

SecureFailure failure_without_protocol() {
  return {std::string(kNoProtocol), std::string(kNoProtocol)};
}

}  // namespace extproc::tls
