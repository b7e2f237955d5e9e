#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/jwt/algorithms.h"
#include "extproc/jwt.h"

namespace extproc::jwt {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;

/// One public key, and what it can be for.
struct Key {
  /// Each verification begins with a copy of `begun`: what OpenSSL looks up for one, it looks up
  /// once. Nothing changes it, so that any thread may copy it.
  struct Use {
    Algorithm algorithm;
    DigestContext begun;
  };

  std::string id;
  KeyHandle handle;
  std::vector<Use> uses;

  bool is_for(Algorithm algorithm) const;
  bool verifies(Algorithm algorithm, std::string_view signed_bytes,
                std::string_view signature) const;
};

/// A JWK as its JSON; nothing where it cannot be used.
std::optional<Key> read_jwk(std::string_view json);
std::optional<Key> read_pem(std::string_view pem);

class Keys::Set {
 public:
  std::vector<Key> keys;
};

}  // namespace extproc::jwt
