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

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

/// One public key, and what it can be for.
struct Key {
  std::string id;
  std::vector<Algorithm> algorithms;
  KeyHandle handle;

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
