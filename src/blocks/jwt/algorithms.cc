#include "blocks/jwt/algorithms.h"

#include <algorithm>
#include <array>

namespace extproc::jwt {

namespace {

/// RFC 7518, 3.1, and RFC 8037, in the order of the enumeration.
constexpr std::array<AlgorithmRow, 10> kRows = {{
    {Algorithm::rs256, "RS256", Family::rsa, false, EVP_sha256, "", 0},
    {Algorithm::rs384, "RS384", Family::rsa, false, EVP_sha384, "", 0},
    {Algorithm::rs512, "RS512", Family::rsa, false, EVP_sha512, "", 0},
    {Algorithm::ps256, "PS256", Family::rsa, true, EVP_sha256, "", 0},
    {Algorithm::ps384, "PS384", Family::rsa, true, EVP_sha384, "", 0},
    {Algorithm::ps512, "PS512", Family::rsa, true, EVP_sha512, "", 0},
    {Algorithm::es256, "ES256", Family::ec, false, EVP_sha256, "P-256", 32},
    {Algorithm::es384, "ES384", Family::ec, false, EVP_sha384, "P-384", 48},
    {Algorithm::es512, "ES512", Family::ec, false, EVP_sha512, "P-521", 66},
    {Algorithm::eddsa, "EdDSA", Family::ed, false, nullptr, "", 0},
}};

}  // namespace

const AlgorithmRow& row_of(Algorithm algorithm) {
  return kRows[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> algorithm_of(std::string_view name) {
  const auto* const row = std::ranges::find(kRows, name, &AlgorithmRow::name);
  return row == kRows.end() ? std::nullopt : std::optional(row->algorithm);
}

std::string_view name_of(Algorithm algorithm) { return row_of(algorithm).name; }

}  // namespace extproc::jwt
