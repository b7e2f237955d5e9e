// One key: from a JWK or PEM, and what it verifies.
#include "blocks/jwt/key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <utility>

#include "blocks/jwt/json.h"
#include "extproc/http.h"

namespace extproc::jwt {

namespace {

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;

using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

/// What OpenSSL leaves behind of what it refused, for whoever asks next.
struct ForgetErrors {
  ForgetErrors() { ERR_set_mark(); }
  ~ForgetErrors() { ERR_pop_to_mark(); }
  ForgetErrors(const ForgetErrors&) = delete;
  ForgetErrors& operator=(const ForgetErrors&) = delete;
};

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(unsigned_bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// A member's bytes, which are base64url; empty where there are none.
std::string bytes_of(const Members& jwk, std::string_view name) {
  const auto text = jwk.text(name);
  return text ? http::base64url_decode(*text).value_or("") : "";
}

KeyHandle made_of(const char* kind, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return KeyHandle(key);
}

KeyHandle read_rsa(const Members& jwk) {
  const Number n = number_of(bytes_of(jwk, "n"));
  const Number e = number_of(bytes_of(jwk, "e"));
  // What would make anything right, or take for ever.
  if (!n || !e || BN_num_bits(n.get()) > kMostRsaBits || BN_num_bits(e.get()) > 64 ||
      BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0) {
    return nullptr;
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return made_of("RSA", builder.get());
}

/// That the point is on the curve, OpenSSL sees.
KeyHandle read_ec(const Members& jwk) {
  const std::string_view curve = jwk.text("crv").value_or("");
  const std::size_t size = curve == "P-256"   ? 32
                           : curve == "P-384" ? 48
                           : curve == "P-521" ? 66
                                              : 0;
  const std::string x = bytes_of(jwk, "x");
  const std::string y = bytes_of(jwk, "y");
  if (size == 0 || x.size() != size || y.size() != size) return nullptr;
  const std::string point = '\x04' + x + y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.data(),
                                      curve.size()) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return made_of("EC", builder.get());
}

KeyHandle read_okp(const Members& jwk) {
  const std::string_view curve = jwk.text("crv").value_or("");
  const std::string x = bytes_of(jwk, "x");
  if (curve != "Ed25519" && curve != "Ed448") return nullptr;
  const int kind = curve == "Ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_ED448;
  return KeyHandle(EVP_PKEY_new_raw_public_key(kind, nullptr, unsigned_bytes(x), x.size()));
}

/// Null where OpenSSL cannot do it.
DigestContext begin_to_verify(const AlgorithmRow& row, EVP_PKEY* key) {
  DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // of the context
  const EVP_MD* const digest = row.digest == nullptr ? nullptr : row.digest();
  if (!context || EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, key) != 1)
    return nullptr;
  if (row.is_pss && (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
    return nullptr;
  return context;
}

/// What keys of that kind can be for.
std::vector<Key::Use> uses_of(EVP_PKEY* key) {
  std::vector<Key::Use> found;
  const int kind = EVP_PKEY_get_base_id(key);
  for (int i = 0; i <= static_cast<int>(Algorithm::eddsa); ++i) {
    const AlgorithmRow& row = row_of(static_cast<Algorithm>(i));
    bool fits = false;
    switch (row.family) {
      case Family::rsa:
        fits = kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= kLeastRsaBits &&
               EVP_PKEY_get_bits(key) <= kMostRsaBits;
        break;
      case Family::ec: {
        std::array<char, 32> group{};
        fits = kind == EVP_PKEY_EC &&
               EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
               row.curve == (group.data() == std::string_view("prime256v1")  ? "P-256"
                             : group.data() == std::string_view("secp384r1") ? "P-384"
                             : group.data() == std::string_view("secp521r1") ? "P-521"
                                                                             : group.data());
        break;
      }
      case Family::ed:
        fits = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
        break;
    }
    if (!fits) continue;
    if (auto begun = begin_to_verify(row, key)) found.push_back({row.algorithm, std::move(begun)});
  }
  return found;
}

/// JOSE has the two numbers behind one another (RFC 7518, 3.4), OpenSSL wants DER.
std::string der_of(std::string_view signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return {};
  Number r = number_of(signature.substr(0, coordinate));
  Number s = number_of(signature.substr(coordinate));
  const EcSignature both(ECDSA_SIG_new());
  if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

/// Whether a key that says what it is for is for this.
bool is_to_verify(const Members& jwk) {
  if (jwk.is_other("use") || jwk.text("use").value_or("sig") != "sig") return false;
  const Members::Member* const operations = jwk.find("key_ops");
  if (operations == nullptr) return true;
  const auto all = elements_of(operations->raw, 10);
  return all && std::ranges::any_of(*all, [](const auto& one) { return one.text == "verify"; });
}

}  // namespace

bool Key::is_for(Algorithm algorithm) const {
  return std::ranges::find(uses, algorithm, &Use::algorithm) != uses.end();
}

bool Key::verifies(Algorithm algorithm, std::string_view signed_bytes,
                   std::string_view signature) const {
  const ForgetErrors forget;
  const AlgorithmRow& row = row_of(algorithm);
  std::string der;
  if (row.family == Family::ec) {
    der = der_of(signature, row.coordinate);
    if (der.empty()) return false;
    signature = der;
  }
  const auto use = std::ranges::find(uses, algorithm, &Use::algorithm);
  if (use == uses.end()) return false;
  const DigestContext context(EVP_MD_CTX_new());
  if (!context || EVP_MD_CTX_copy_ex(context.get(), use->begun.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), unsigned_bytes(signature), signature.size(),
                          unsigned_bytes(signed_bytes), signed_bytes.size()) == 1;
}

std::optional<Key> read_jwk(std::string_view json) {
  const ForgetErrors forget;
  const auto jwk =
      Members::read(json, {"kty", "kid", "alg", "use", "key_ops", "crv", "n", "e", "x", "y"});
  if (!jwk || !is_to_verify(*jwk) || jwk->is_other("kid") || jwk->is_other("alg")) {
    return std::nullopt;
  }
  const std::string_view kind = jwk->text("kty").value_or("");
  Key key{std::string(jwk->text("kid").value_or("")), nullptr, {}};
  if (kind == "RSA") key.handle = read_rsa(*jwk);
  if (kind == "EC") key.handle = read_ec(*jwk);
  if (kind == "OKP") key.handle = read_okp(*jwk);
  if (!key.handle) return std::nullopt;
  key.uses = uses_of(key.handle.get());
  if (const auto name = jwk->text("alg")) {
    const auto only = algorithm_of(*name);
    if (!only) return std::nullopt;
    std::erase_if(key.uses, [&](const Key::Use& use) { return use.algorithm != *only; });
  }
  if (key.uses.empty()) return std::nullopt;
  return key;
}

std::optional<Key> read_pem(std::string_view pem) {
  const ForgetErrors forget;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key{
      {}, KeyHandle(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr), {}};
  if (!key.handle) return std::nullopt;
  key.uses = uses_of(key.handle.get());
  if (key.uses.empty()) return std::nullopt;
  return key;
}

}  // namespace extproc::jwt
