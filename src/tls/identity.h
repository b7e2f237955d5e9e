#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/peer_certificate.h"
#include "tls/handles.h"

namespace extproc::tls {

PeerCertificate describe(X509* certificate);
/// "2027-01-31 12:00:00 UTC".
std::string time_text(const ASN1_TIME* time);
/// The epoch where it cannot be read.
std::chrono::sys_seconds time_of(const ASN1_TIME* time);
/// As PeerCertificate::subject.
std::string subject_of(X509* certificate);
std::string issuer_of(X509* certificate);

/// Which clients are let in: TlsSettings::allowed_sans.
class AllowedNames {
 public:
  AllowedNames() = default;
  /// Throws Error, which names the text that is none of the three kinds.
  explicit AllowedNames(const std::vector<std::string>& texts);

  /// All are, where none is named.
  bool allows(const PeerCertificate& peer) const;

 private:
  std::vector<std::string> dns_names_;
  std::vector<std::string> uris_;
  /// "spiffe://domain/".
  std::vector<std::string> trust_domains_;
};

/// Its names, for the log: "dns:a, uri:b"; "none" without any. At most `most` bytes.
std::string names_of(const PeerCertificate& peer, std::size_t most);

}  // namespace extproc::tls
