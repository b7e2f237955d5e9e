#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

/// JSON Web Tokens (RFC 7519, RFC 7515) signed by a key of a JWK Set (RFC 7517), of the component
/// extproc::jwt (CMake) or extproc-jwt (pkg-config), which links OpenSSL. What does not include
/// this header needs none.
///
///   const jwt::Keys keys = jwt::Keys::parse(jwks);     // as often as the set changes
///   const jwt::Rules rules{.issuers = {"https://issuer"}, .audiences = {"api"}};
///   const jwt::Result result = jwt::verify(*http::bearer_token(authorization), keys, rules);
///   if (!result.token) … result.reason, result.text …
namespace extproc::jwt {

enum class Algorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa
};
/// As in `alg`: "RS256".
EXTPROC_API std::string_view name_of(Algorithm algorithm);

/// A JWK Set that cannot be used. The text says why.
class EXTPROC_API KeysError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Public keys, set up once for each state of the set. Safe from any thread.
class EXTPROC_API Keys {
 public:
  /// Keys of another use, kind or curve, RSA of fewer than 2,048 or more than 8,192 bits, and
  /// symmetric ones are left out: an issuer may have them for others. Throws KeysError where it is
  /// no set, is larger than 1 MiB, has more than 100 keys, or none that can be used.
  static Keys parse(std::string_view jwks);
  /// One key in PEM ("BEGIN PUBLIC KEY"), which is for every token that its kind can have signed.
  static Keys from_pem(std::string_view pem);

  Keys(Keys&&) noexcept;
  Keys& operator=(Keys&&) noexcept;
  ~Keys();

  std::size_t size() const;
  /// Whether one has this `kid`: if not, the set may have changed, and is worth to be fetched
  /// again.
  bool has(std::string_view kid) const;

  class Set;

 private:
  friend struct Verifier;

  explicit Keys(std::unique_ptr<const Set> set);

  std::unique_ptr<const Set> set_;
};

/// What a token has to say. Texts are compared as bytes.
struct Rules {
  /// `iss` must be one of them; empty: any, or none.
  std::vector<std::string> issuers{};
  /// `aud` must be, or have, one of them; empty: any, or none.
  std::vector<std::string> audiences{};
  std::vector<Algorithm> algorithms{
      Algorithm::rs256, Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384,
      Algorithm::ps512, Algorithm::es256, Algorithm::es384, Algorithm::es512, Algorithm::eddsa};
  /// How far the issuer's clock may be from ours, of exp and nbf.
  std::chrono::seconds leeway{60};
  /// A token without `exp` is refused.
  bool needs_expiry = true;
  /// `typ` must be this, in whatever case, such as "at+jwt"; empty: any, or none.
  std::string type{};
  /// A longer token is not looked at.
  std::size_t most_bytes = std::size_t{16} << 10;
};

/// What a verified token says.
struct Token {
  /// JSON. to_struct(boost::json::parse(claims).as_object()) (json.h) is a Struct of it.
  std::string claims;
  std::string header;
  std::string key_id;
  Algorithm algorithm{};

  /// A claim by JSON Pointer ("/sub", "/realm_access/roles/0"), where it is a string; nothing
  /// otherwise. Throws Error for a pointer that is none.
  EXTPROC_API std::optional<std::string> text(const std::string& pointer) const;
  /// When it ends, and when it was made, as seconds since 1970; nothing where it does not say.
  std::optional<std::chrono::system_clock::time_point> expires{};
  std::optional<std::chrono::system_clock::time_point> issued{};
};

/// Why a token is refused.
enum class Reason : std::uint8_t {
  none,
  /// No three parts, no base64url, no JSON, a name twice, or too long.
  malformed,
  /// "none", symmetric, unknown, or not among Rules::algorithms.
  algorithm,
  /// An extension in `crit`, which has to be understood; `b64`.
  critical,
  type,
  /// No key has the token's `kid` and can be of its algorithm.
  key,
  signature,
  issuer,
  audience,
  expired,
  not_yet,
};

struct Result {
  /// Nothing where it is refused.
  std::optional<Token> token{};
  Reason reason = Reason::none;
  /// Why, for logs and for `error_description` of `www-authenticate`: no secrets, and nothing that
  /// the caller wrote.
  std::string text{};
};

/// Everything in the order of the reasons above: claims are looked at once the signature is right.
/// Takes as long as OpenSSL does, 20 to 200 us, and some. Never throws on what a token says.
///
/// The key decides which algorithms it can be for, never the token: an RSA key verifies no HMAC,
/// and one that names its `alg` no other one. Without `kid` each key that can be for the token is
/// tried, at most four.
EXTPROC_API Result
verify(std::string_view token, const Keys& keys, const Rules& rules = {},
       std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace extproc::jwt
