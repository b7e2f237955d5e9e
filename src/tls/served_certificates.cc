#include "tls/served_certificates.h"

#include <string_view>
#include <utility>

#include "tls/identity.h"
#include "tls/pem.h"

namespace extproc::tls {
namespace {

server::ServedCertificate served(X509* certificate, std::string_view use,
                                 const std::string& source) {
  PeerCertificate names = describe(certificate);
  server::ServedCertificate result;
  result.use = use;
  result.subject = std::move(names.subject);
  result.issuer = issuer_of(certificate);
  for (const std::string& name : names.dns_names) result.names.push_back("dns:" + name);
  for (const std::string& uri : names.uris) result.names.push_back("uri:" + uri);
  result.not_before = time_of(X509_get0_notBefore(certificate));
  result.not_after = time_of(X509_get0_notAfter(certificate));
  result.fingerprint = std::move(names.fingerprint);
  result.source = source;
  return result;
}

}  // namespace

std::vector<server::ServedCertificate> served_certificates(const Material& material) {
  std::vector<server::ServedCertificate> all;
  for (const auto& certificate : certificates(material.certificate)) {
    const auto use = all.empty() ? "server" : "intermediate";
    all.push_back(served(certificate.get(), use, material.certificate.source));
  }
  if (material.client_ca.empty()) return all;
  for (const auto& authority : certificates(material.client_ca))
    all.push_back(served(authority.get(), "client_ca", material.client_ca.source));
  return all;
}

}  // namespace extproc::tls
