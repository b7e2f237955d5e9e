// Tokens of RFC 7515, RFC 8037 and PyJWT, and what attackers make of them.
#include "extproc/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <string_view>

#include "blocks/jwt_tokens.h"
#include "blocks/jwt_vectors.h"
#include "extproc/http.h"

namespace extproc::jwt {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::ThrowsMessage;
using namespace std::chrono_literals;

/// All tokens here are made for it.
const auto kNow = std::chrono::system_clock::time_point(1'700'000'000s);
const std::string kIssuer = "https://issuer.example";

std::string_view token_of(std::string_view kid) {
  for (const auto& [name, token] : tokens::kTokens) {
    if (name == kid) return token;
  }
  return {};
}

std::string_view token_with(std::string_view what) {
  for (const auto& [name, token] : tokens::kClaims) {
    if (name == what) return token;
  }
  return {};
}

Reason reason_of(std::string_view token, const Rules& rules = {},
                 std::string_view keys = tokens::kKeys) {
  const Result result = verify(token, Keys::parse(keys), rules, kNow);
  EXPECT_EQ(result.token.has_value(), result.reason == Reason::none);
  EXPECT_EQ(result.text.empty(), result.reason == Reason::none);
  return result.reason;
}

std::string part(std::string_view json) { return http::base64url_encode(json); }

TEST(Jwt, TheExamplesOfTheRfcs) {
  const auto then = std::chrono::system_clock::time_point(1'300'819'380s);
  const Rules rules{.issuers = {"joe"}};
  for (const auto& [keys, token] : {std::pair(vectors::kRs256Keys, vectors::kRs256Token),
                                    std::pair(vectors::kEs256Keys, vectors::kEs256Token)}) {
    const Result result = verify(token, Keys::parse(keys), rules, then - 1s);
    ASSERT_TRUE(result.token) << result.text;
    EXPECT_THAT(result.token->text("/iss"), Optional(Eq("joe")));
    EXPECT_EQ(result.token->expires, then);
    EXPECT_EQ(verify(token, Keys::parse(keys), rules, then + 60s).reason, Reason::expired);
    EXPECT_EQ(verify(token, Keys::parse(keys), rules, then + 59s).reason, Reason::none);
  }
  // Their payloads are no JSON, which is looked at behind the signature.
  for (const auto& [keys, token] : {std::pair(vectors::kEs512Keys, vectors::kEs512Token),
                                    std::pair(vectors::kEdDsaKeys, vectors::kEdDsaToken)}) {
    EXPECT_EQ(reason_of(token, {}, keys), Reason::malformed);
    std::string wrong(token);
    char& one = wrong[wrong.size() - 10];
    one = one == 'A' ? 'B' : 'A';
    EXPECT_EQ(reason_of(wrong, {}, keys), Reason::signature);
  }
}

TEST(Jwt, TokensOfPyJwtAreVerifiedByEachAlgorithm) {
  const Keys keys = Keys::parse(tokens::kKeys);
  EXPECT_EQ(keys.size(), std::size(tokens::kTokens));
  std::set<Algorithm> seen;
  for (const auto& [kid, token] : tokens::kTokens) {
    EXPECT_TRUE(keys.has(kid));
    const Result result =
        verify(token, keys, {.issuers = {"x", kIssuer}, .audiences = {"api"}}, kNow);
    ASSERT_TRUE(result.token) << kid << ": " << result.text;
    EXPECT_EQ(result.token->key_id, kid);
    EXPECT_THAT(result.token->text("/sub"), Optional(Eq("alice")));
    EXPECT_THAT(result.token->text("/aud/1"), Optional(Eq("other")));
    EXPECT_EQ(result.token->text("/exp"), std::nullopt);
    seen.insert(result.token->algorithm);
  }
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_FALSE(keys.has("other"));
}

TEST(Jwt, EachChangedByteIsSeen) {
  for (const std::string_view kid : {"RS256", "ES256", "Ed25519"}) {
    const std::string_view token = token_of(kid);
    for (std::size_t i = 0; i < token.size(); i += 3) {
      std::string wrong(token);
      wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
      if (wrong == token) continue;
      ASSERT_NE(reason_of(wrong), Reason::none) << kid << ' ' << i;
    }
    for (std::size_t size = 0; size < token.size(); size += 5) {
      ASSERT_NE(reason_of(token.substr(0, size)), Reason::none);
    }
  }
}

TEST(Jwt, NoAlgorithmIsTakenForAnother) {
  EXPECT_EQ(reason_of(vectors::kUnsignedToken), Reason::algorithm);
  EXPECT_EQ(reason_of(vectors::kHs256Token), Reason::algorithm);
  EXPECT_EQ(reason_of(tokens::kConfusedToken), Reason::algorithm);
  EXPECT_EQ(verify(tokens::kConfusedToken, Keys::from_pem(tokens::kPem), {}, kNow).reason,
            Reason::algorithm);
  const std::string_view token = token_of("RS256");
  const std::string behind(token.substr(token.find('.')));
  for (const std::string_view name : {"none", "None", "NONE", "", "HS256", "rs256", "RS1"}) {
    const std::string header = part("{\"alg\":\"" + std::string(name) + "\",\"kid\":\"RS256\"}");
    EXPECT_EQ(reason_of(header + behind), Reason::algorithm) << name;
    EXPECT_EQ(reason_of(header + behind.substr(0, behind.rfind('.') + 1)), Reason::algorithm);
  }
  // The other algorithms of the key, and those of other keys.
  EXPECT_EQ(reason_of(part(R"({"alg":"PS256","kid":"RS256"})") + behind), Reason::signature);
  EXPECT_EQ(reason_of(part(R"({"alg":"ES256","kid":"RS256"})") + behind), Reason::key);
  EXPECT_EQ(reason_of(part(R"({"alg":"ES384","kid":"ES256"})") + behind), Reason::key);
  EXPECT_EQ(reason_of(token, {.algorithms = {Algorithm::es256}}), Reason::algorithm);
  // A key that names its algorithm is for no other one.
  std::string only(tokens::kKeys);
  only.replace(only.find("\"use\": \"sig\""), 12, "\"alg\": \"PS256\"");
  EXPECT_EQ(reason_of(token, {}, only), Reason::key);
  EXPECT_EQ(reason_of(token_of("RS384"), {}, only), Reason::none);
}

TEST(Jwt, AKeyIsChosenByItsName) {
  EXPECT_EQ(reason_of(token_of("RS256"), {}, vectors::kRs256Keys), Reason::signature)
      << "one without a name is tried";
  std::string renamed(tokens::kKeys);
  renamed.replace(renamed.find("\"kid\": \"RS256\""), 14, "\"kid\": \"xx256\"");
  EXPECT_EQ(reason_of(token_of("RS256"), {}, renamed), Reason::key);
  const Keys pem = Keys::from_pem(tokens::kPem);
  EXPECT_EQ(verify(token_of("PS384"), pem, {}, kNow).reason, Reason::none);
  EXPECT_EQ(verify(token_of("ES256"), pem, {}, kNow).reason, Reason::key);
}

TEST(Jwt, ClaimsAreHeldToTheRules) {
  const std::string_view token = token_of("RS256");
  EXPECT_EQ(reason_of(token, {.issuers = {"https://issuer.example/"}}), Reason::issuer);
  EXPECT_EQ(reason_of(token, {.audiences = {"api2"}}), Reason::audience);
  EXPECT_EQ(reason_of(token_with("aud is text"), {.audiences = {"api"}}), Reason::none);
  EXPECT_EQ(reason_of(token_with("no exp"), {.audiences = {"api"}}), Reason::audience);
  EXPECT_EQ(reason_of(token_with("no exp"), {.issuers = {kIssuer}}), Reason::issuer);
  EXPECT_EQ(reason_of(token_with("no exp")), Reason::expired);
  EXPECT_EQ(reason_of(token_with("no exp"), {.needs_expiry = false}), Reason::none);
  EXPECT_EQ(reason_of(token_with("exp is a fraction")), Reason::none);
  for (const std::string_view what : {"exp is text", "claims are no object", "exp twice"}) {
    EXPECT_EQ(reason_of(token_with(what)), Reason::malformed) << what;
  }
  const Keys keys = Keys::parse(tokens::kKeys);
  const auto begin = std::chrono::system_clock::time_point(1'500'000'000s);
  EXPECT_EQ(verify(token, keys, {}, begin - 60s).reason, Reason::none);
  EXPECT_EQ(verify(token, keys, {}, begin - 61s).reason, Reason::not_yet);
  EXPECT_EQ(verify(token, keys, {.leeway = 0s}, begin - 1s).reason, Reason::not_yet);
  EXPECT_EQ(reason_of(tokens::kCritical), Reason::critical);
  EXPECT_EQ(reason_of(tokens::kOtherType, {.type = "AT+jwt"}), Reason::none);
  EXPECT_EQ(reason_of(token, {.type = "at+jwt"}), Reason::type);
}

TEST(Jwt, WhatIsNoTokenIsMalformed) {
  const std::string_view token = token_of("RS256");
  for (const std::string_view bad : {"", ".", "..", "...", "a.b.c", "a", " . . "}) {
    EXPECT_EQ(reason_of(bad), Reason::malformed) << bad;
  }
  EXPECT_EQ(reason_of(std::string(token) + "."), Reason::malformed);
  EXPECT_EQ(reason_of(std::string(token) + "="), Reason::malformed);
  EXPECT_EQ(reason_of(" " + std::string(token)), Reason::malformed);
  EXPECT_EQ(reason_of(std::string(20'000, 'a') + ".a.a"), Reason::malformed);
  const std::string behind(token.substr(token.find('.')));
  for (const std::string_view header : {R"({"alg":"RS256","alg":"none"})", R"(["RS256"])", "{",
                                        R"({"alg":"RS256","kid":1})", "\"RS256\""}) {
    EXPECT_EQ(reason_of(part(header) + behind), Reason::malformed) << header;
  }
  EXPECT_EQ(reason_of(part("{\"alg\":5}") + behind), Reason::algorithm);
}

TEST(Jwt, SetsWithoutAKeyAreRefused) {
  const auto refused = [](std::string_view keys) { return [keys] { Keys::parse(keys); }; };
  for (const std::string_view bad :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1],"keys":[2]})"}) {
    EXPECT_THAT(refused(bad), ThrowsMessage<KeysError>(HasSubstr("this is none"))) << bad;
  }
  for (
      const std::string_view bad :
      {R"({"keys":[]})", R"({"keys":[1,"a",null,{}]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
       R"({"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]})",
       R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
       R"({"keys":[{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})"}) {
    EXPECT_THAT(refused(bad), ThrowsMessage<KeysError>(HasSubstr("none can be used"))) << bad;
  }
  EXPECT_THAT(refused(tokens::kWeakKeys), ThrowsMessage<KeysError>(HasSubstr("too weak")));
  // A point that is on no curve; keys for encryption.
  std::string off(vectors::kEs256Keys);
  const auto x = off.find("\"x\":\"") + 5;
  off[x] = off[x] == 'A' ? 'B' : 'A';
  EXPECT_THROW(Keys::parse(off), KeysError);
  std::string encrypts(vectors::kEs256Keys);
  encrypts.insert(encrypts.find("\"kty\""), R"("use":"enc",)");
  EXPECT_THROW(Keys::parse(encrypts), KeysError);
  encrypts = vectors::kEs256Keys;
  encrypts.insert(encrypts.find("\"kty\""), R"("key_ops":["sign"],)");
  EXPECT_THROW(Keys::parse(encrypts), KeysError);
  encrypts.replace(encrypts.find("sign"), 4, "verify");
  EXPECT_EQ(Keys::parse(encrypts).size(), 1U);
  std::string many = R"({"keys":[0)";
  for (int i = 0; i < 100; ++i) many += ",0";
  EXPECT_THAT(refused(many + "]}"), ThrowsMessage<KeysError>(HasSubstr("100 keys")));
  EXPECT_THROW(Keys::from_pem("-----BEGIN PUBLIC KEY-----"), KeysError);
}

}  // namespace
}  // namespace extproc::jwt
