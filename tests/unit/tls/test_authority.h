#pragma once

#include <string>

#include "tls/handles.h"

namespace extproc::tls {

/// In PEM.
struct Pair {
  std::string certificate;
  std::string key;
};

struct Issued {
  std::string name = "someone";
  /// "DNS:a,URI:b"; empty for none.
  std::string names = "DNS:localhost";
  /// From now, in seconds.
  long from = -3600;
  long until = 3600;
  std::string usage = "serverAuth,clientAuth";
};

/// A CA of a test.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);

  /// Its own certificate.
  const std::string& certificate() const { return certificate_; }
  Pair issue(const Issued& wanted);
  /// A list of those that it revoked, in PEM.
  std::string revoke(const Pair& pair);

 private:
  KeyPtr key_;
  X509Ptr self_;
  std::string certificate_;
  long serial_ = 1;
};

}  // namespace extproc::tls
