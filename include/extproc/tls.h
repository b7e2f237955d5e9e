#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "extproc/transport.h"

// TLS, of the component extproc::tls (CMake) or extproc-tls (pkg-config), which links OpenSSL. What
// does not include this header needs neither.
namespace extproc {

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

/// How a server speaks TLS. Each of its texts is PEM, from a file or as it is; not both. Files are
/// watched, and read anew when they change.
struct TlsSettings {
  /// The server's certificate, and behind it those between it and its CA. --tls-cert.
  std::string certificate_file{};
  std::string certificate{};
  /// Its private key, without a password. --tls-key.
  std::string key_file{};
  std::string key{};
  /// The CAs of clients: each must show a certificate of one of them (mutual TLS). Without any,
  /// clients are not asked for one. --tls-client-ca.
  std::string client_ca_file{};
  std::string client_ca{};
  /// Of which subject alternative names (SAN) a client's certificate must have one: "dns:NAME",
  /// "uri:URI", or "spiffe://DOMAIN/" for every identity of that trust domain. Names are compared
  /// as bytes, those of DNS in lower case; no wildcards. None: every certificate of those CAs.
  /// --tls-allow-san.
  std::vector<std::string> allowed_sans{};
  /// Certificates that their CAs revoked; one list of each CA. Only with client CAs. --tls-crl.
  std::string crl_file{};
  std::string crl{};
  /// --tls-min-version.
  TlsVersion min_version = TlsVersion::v1_2;
};

/// For Settings::transport, or Service::over() of one of several services. Throws Error, which
/// names the file and the reason, where something cannot be read, or does not belong together.
std::shared_ptr<Transport> tls_transport(TlsSettings settings);

}  // namespace extproc
