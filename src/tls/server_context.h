#pragma once

#include <memory>
#include <string>

#include "extproc/tls.h"
#include "tls/identity.h"
#include "tls/pem.h"

namespace extproc::tls {

/// What TlsSettings name, as it was read.
struct Material {
  Pem certificate{};
  Pem key{};
  Pem client_ca{};
  Pem crl{};

  friend bool operator==(const Material&, const Material&) = default;
};

/// Throws Error where a file cannot be read, or a setting is missing.
Material load_material(const TlsSettings& settings);

/// What the sessions of a server are made with; never changed. Any thread.
class ServerContext {
 public:
  /// Throws Error where what was read is wrong, or does not belong together.
  ServerContext(const Material& material, AllowedNames allowed, TlsVersion min_version);

  SslPtr make_ssl() const;
  const AllowedNames& allowed() const { return allowed_; }
  bool asks_for_certificate() const { return asks_for_certificate_; }
  /// Of the server's own certificate.
  const std::string& subject() const { return subject_; }
  /// "2027-01-31 12:00:00 UTC".
  std::string valid_until() const;
  /// Where it is not valid today, or not for long: "expired on ...".
  std::string validity_problem() const;

 private:
  void ask_for_certificate(const Material& material);

  SslContextPtr context_;
  AllowedNames allowed_;
  bool asks_for_certificate_ = false;
  std::string subject_;
};

}  // namespace extproc::tls
