#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace extproc::tls {

/// Subject alternative names, as in "DNS:localhost", "IP:127.0.0.1".
using AlternativeNames = std::vector<std::string>;

/// Files in PEM.
struct MadeCertificates {
  std::filesystem::path ca;
  std::filesystem::path server;
  std::filesystem::path server_key;
  std::filesystem::path client;
  std::filesystem::path client_key;
};

/// A CA whose key nobody keeps, and of it a certificate for a server and one for a client (ECDSA
/// with P-256), valid from a few minutes ago, for clocks that differ, for `lifetime` from now. They
/// go into new files of the folder, which is there; keys with mode 0600. Throws Error.
MadeCertificates make_certificates(const std::filesystem::path& folder,
                                   const AlternativeNames& server, const AlternativeNames& client,
                                   std::chrono::seconds lifetime);

}  // namespace extproc::tls
