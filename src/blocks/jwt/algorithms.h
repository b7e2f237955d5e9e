#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <optional>
#include <string_view>

#include "extproc/jwt.h"

namespace extproc::jwt {

/// What kind of key an algorithm needs.
enum class Family : std::uint8_t { rsa, ec, ed };

struct AlgorithmRow {
  Algorithm algorithm;
  std::string_view name;
  Family family;
  bool is_pss;
  /// Of OpenSSL; null for EdDSA, which has its own.
  const EVP_MD* (*digest)();
  /// Of the curve that belongs to it, its name in JWK and the bytes of a coordinate.
  std::string_view curve;
  std::size_t coordinate;
};

const AlgorithmRow& row_of(Algorithm algorithm);
std::optional<Algorithm> algorithm_of(std::string_view name);

}  // namespace extproc::jwt
