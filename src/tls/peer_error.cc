#include "tls/peer_error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "tls/identity.h"
#include "tls/pem.h"

namespace extproc::tls {
namespace {

/// What a peer wrote, for one line of text.
std::string printable_text(const ASN1_STRING* text) {
  constexpr int kMost = 100;
  const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(std::min(ASN1_STRING_length(text), kMost)));
  std::string result(bytes);
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  return result;
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(address) != 16) return "?";
  ::inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size());
  return text.data();
}

/// The names that a server's certificate is for, the first of them.
std::string certificate_names(const X509* certificate) {
  constexpr int kMost = 8;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string text;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    if (i >= kMost) return text + ", ...";
    text += text.empty() ? "" : ", ";
    text +=
        name->type == GEN_DNS ? printable_text(name->d.dNSName) : address_text(name->d.iPAddress);
  }
  return text.empty() ? "no DNS name or IP address (subject alternative name)" : text;
}

/// What is said of a certificate where it stands at `depth`.
std::string whose(int depth) {
  return depth == 0 ? "the server's certificate" : "a CA's certificate behind the server's";
}

/// The alert of the server that OpenSSL's error stands for; 0: it is none.
int alert_of(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  const bool is_alert = ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
                        reason <= SSL_AD_REASON_OFFSET + 0xFF;
  return is_alert ? reason - SSL_AD_REASON_OFFSET : 0;
}

/// What a server objects to in a client's certificate; nothing: the alert is about something else.
const char* objection(int alert) {
  switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
      return "handshake failure";
    case SSL_AD_BAD_CERTIFICATE:
      return "bad certificate";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      return "unsupported certificate";
    case SSL_AD_CERTIFICATE_REVOKED:
      return "it was revoked";
    case SSL_AD_CERTIFICATE_EXPIRED:
      return "it has expired";
    case SSL_AD_CERTIFICATE_UNKNOWN:
      return "certificate unknown";
    case SSL_AD_UNKNOWN_CA:
      return "unknown CA";
    case SSL_AD_ACCESS_DENIED:
      return "access denied";
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "certificate required";
    default:
      return nullptr;
  }
}

std::string alert_error(int alert, bool has_certificate, bool was_asked) {
  constexpr const char* kNoH2 = "the server does not speak HTTP/2 over TLS (ALPN h2)";
  if (alert == SSL_AD_NO_APPLICATION_PROTOCOL) return kNoH2;
  if (alert == SSL_AD_PROTOCOL_VERSION) return "the server does not speak TLS 1.2 or later";
  if (alert == SSL_AD_UNRECOGNIZED_NAME) {
    return "the server does not know the name that it was asked for (SNI): see --tls-server-name";
  }
  if (const char* why = objection(alert)) {
    if (was_asked) return kCertificateAskedFor;
    if (has_certificate && alert != SSL_AD_HANDSHAKE_FAILURE) {
      return std::string("the server refused the client certificate of --tls-cert: ") + why;
    }
  }
  return std::string("the server ended the TLS handshake: ") + SSL_alert_desc_string_long(alert);
}

}  // namespace

std::string certificate_error(X509_STORE_CTX* store, const std::string& expected) {
  const int error = X509_STORE_CTX_get_error(store);
  const int depth = X509_STORE_CTX_get_error_depth(store);
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose(depth) + " has expired, on " + time_text(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose(depth) + " is not valid before " + time_text(X509_get0_notBefore(certificate));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the server's certificate is not for " + expected + ", but for " +
             certificate_names(certificate) + ": see --tls-server-name";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return std::string("the server's certificate is of an unknown CA (") +
             X509_verify_cert_error_string(error) + "): name its CA with --tls-ca";
    default:
      return whose(depth) + " is not accepted: " + X509_verify_cert_error_string(error);
  }
}

std::string session_error(bool has_certificate, bool was_asked) {
  const unsigned long error = ERR_peek_error();
  if (const int alert = alert_of(error); alert != 0) {
    ERR_clear_error();
    return alert_error(alert, has_certificate, was_asked);
  }
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && (ERR_GET_REASON(error) == SSL_R_UNSUPPORTED_PROTOCOL ||
                                            ERR_GET_REASON(error) == SSL_R_VERSION_TOO_LOW)) {
    ERR_clear_error();
    return "the server does not speak TLS 1.2 or later";
  }
  return "the server's TLS is not right: " + last_error();
}

}  // namespace extproc::tls
