#pragma once

#include <string>
#include <vector>

namespace extproc {

/// The certificate that a peer showed, and that was found valid.
struct PeerCertificate {
  /// As RFC 2253 writes it: "CN=envoy,O=example".
  std::string subject{};
  /// Its subject alternative names of the types DNS and URI, in its order, as they are.
  std::vector<std::string> dns_names{};
  std::vector<std::string> uris{};
  /// SHA-256 of the certificate (DER), 64 hexadecimal digits in lower case.
  std::string fingerprint{};
};

}  // namespace extproc
