#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/header_name.h"
#include "blocks/jwt/json.h"
#include "blocks/jwt/key.h"
#include "extproc/http.h"

namespace extproc::jwt {

namespace {

constexpr int kMostTried = 4;
/// Some thousand years: beyond it a clock's counts would overflow.
constexpr double kLatest = 1e11;

struct Parts {
  std::string_view header, claims, signature;
  /// The two with the dot between them.
  std::string_view signed_bytes;
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

Result refused(Reason reason, std::string text) { return {std::nullopt, reason, std::move(text)}; }

/// A NumericDate; nothing where it is none.
std::optional<double> number_of(const Members::Member& member) {
  if (member.kind != JsonKind::number) return std::nullopt;
  double value = 0;
  const char* const end = member.raw.data() + member.raw.size();
  const auto parsed = std::from_chars(member.raw.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || std::abs(value) > kLatest) {
    return std::nullopt;
  }
  return value;
}

std::chrono::system_clock::time_point time_of(double seconds) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::duration<double>(seconds)));
}

bool is_among(const std::vector<std::string>& known, std::string_view one) {
  return std::ranges::find(known, one) != known.end();
}

/// `aud` is one text, or several.
bool is_for(const Members& claims, const std::vector<std::string>& audiences) {
  const Members::Member* const audience = claims.find("aud");
  if (audience == nullptr) return false;
  if (audience->kind == JsonKind::string) return is_among(audiences, audience->text);
  const auto all = elements_of(audience->raw, 1000);
  return all && std::ranges::any_of(*all, [&](const Members::Member& one) {
           return one.kind == JsonKind::string && is_among(audiences, one.text);
         });
}

}  // namespace

struct Verifier {
  const Keys& keys;
  const Rules& rules;
  std::chrono::system_clock::time_point now;

  Result run(std::string_view text) const {
    const auto parts = text.size() > rules.most_bytes ? std::nullopt : split(text);
    if (!parts) return refused(Reason::malformed, "the token is too long, or has no three parts");
    Token token;
    const auto header = http::base64url_decode(parts->header);
    const auto claims = http::base64url_decode(parts->claims);
    const auto signature = http::base64url_decode(parts->signature);
    if (!header || !claims || !signature) {
      return refused(Reason::malformed, "the token is no base64url");
    }
    token.header = *header;
    token.claims = *claims;
    if (auto result = check_header(token, *parts, *signature); result.reason != Reason::none) {
      return result;
    }
    if (auto result = check_claims(token); result.reason != Reason::none) return result;
    return {std::move(token), Reason::none, {}};
  }

  Result check_header(Token& token, const Parts& parts, std::string_view signature) const {
    const auto header = Members::read(token.header, {"alg", "kid", "typ", "crit", "b64"});
    if (!header || header->is_other("kid") || header->is_other("typ")) {
      return refused(Reason::malformed,
                     "the token's header is no JSON object, or has a name twice");
    }
    const auto algorithm = algorithm_of(header->text("alg").value_or(""));
    if (!algorithm || std::ranges::find(rules.algorithms, *algorithm) == rules.algorithms.end()) {
      return refused(Reason::algorithm, "the token's algorithm is not allowed");
    }
    if (header->find("crit") != nullptr || header->find("b64") != nullptr) {
      return refused(Reason::critical, "the token needs an extension that is not known here");
    }
    if (!rules.type.empty() && !same_name(header->text("typ").value_or(""), rules.type)) {
      return refused(Reason::type, "the token is of another type");
    }
    token.algorithm = *algorithm;
    const auto kid = header->text("kid");
    int tried = 0;
    for (const Key& key : keys.set_->keys) {
      // A key without a name, as of PEM, is for all.
      if (!key.is_for(*algorithm) || (kid && !key.id.empty() && key.id != *kid)) continue;
      if (tried++ == kMostTried) break;
      if (!key.verifies(*algorithm, parts.signed_bytes, signature)) continue;
      token.key_id = key.id;
      return {};
    }
    if (tried == 0) return refused(Reason::key, "no key has the token's kid and algorithm");
    return refused(Reason::signature, "the token's signature is wrong");
  }

  Result check_claims(Token& token) const {
    const auto claims = Members::read(token.claims, {"iss", "aud", "exp", "nbf", "iat"});
    if (!claims) {
      return refused(Reason::malformed,
                     "the token's claims are no JSON object, or one is there twice");
    }
    if (!rules.issuers.empty() && !is_among(rules.issuers, claims->text("iss").value_or(""))) {
      return refused(Reason::issuer, "the token is of another issuer");
    }
    if (!rules.audiences.empty() && !is_for(*claims, rules.audiences)) {
      return refused(Reason::audience, "the token is for another audience");
    }
    return check_times(token, *claims);
  }

  Result check_times(Token& token, const Members& claims) const {
    std::optional<std::chrono::system_clock::time_point> begin;
    for (auto [name, time] : {std::pair("exp", &token.expires), std::pair("nbf", &begin),
                              std::pair("iat", &token.issued)}) {
      const Members::Member* const member = claims.find(name);
      if (member == nullptr) continue;
      const auto number = number_of(*member);
      if (!number) return refused(Reason::malformed, "a time of the token is no number");
      *time = time_of(*number);
    }
    if (!token.expires && rules.needs_expiry) {
      return refused(Reason::expired, "the token does not say when it expires");
    }
    if (token.expires && now >= *token.expires + rules.leeway) {
      return refused(Reason::expired, "the token has expired");
    }
    if (begin && now < *begin - rules.leeway) {
      return refused(Reason::not_yet, "the token is not valid yet");
    }
    return {};
  }
};

Result verify(std::string_view token, const Keys& keys, const Rules& rules,
              std::chrono::system_clock::time_point now) {
  return Verifier{keys, rules, now}.run(token);
}

std::optional<std::string> Token::text(const std::string& pointer) const {
  const JsonPaths paths({pointer});
  JsonReader reader(paths);
  reader.push(claims);
  std::optional<std::string> found;
  while (const JsonField* field = reader.next()) found = field->text();
  return found;
}

}  // namespace extproc::jwt
