// A JWK Set.
#include <algorithm>

#include "blocks/jwt/json.h"
#include "blocks/jwt/key.h"

namespace extproc::jwt {

namespace {
constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kMostKeys = 100;
}  // namespace

Keys::Keys(std::unique_ptr<const Set> set) : set_(std::move(set)) {}
Keys::Keys(Keys&&) noexcept = default;
Keys& Keys::operator=(Keys&&) noexcept = default;
Keys::~Keys() = default;

Keys Keys::parse(std::string_view jwks) {
  if (jwks.size() > kMostBytes) throw KeysError("a JWK Set is larger than 1 MiB");
  const auto document = Members::read(jwks, {"keys"});
  const Members::Member* const list = document ? document->find("keys") : nullptr;
  if (list == nullptr || list->kind != JsonKind::array) {
    throw KeysError("a JWK Set is a JSON object with an array \"keys\": this is none");
  }
  const auto elements = elements_of(list->raw, kMostKeys);
  if (!elements) throw KeysError("a JWK Set has more than 100 keys");
  auto set = std::make_unique<Set>();
  for (const Members::Member& element : *elements) {
    if (auto key = read_jwk(element.raw)) set->keys.push_back(*std::move(key));
  }
  if (set->keys.empty()) {
    throw KeysError("of " + std::to_string(elements->size()) +
                    " keys of a JWK Set none can be used: they are of another use or kind, or too "
                    "weak");
  }
  return Keys(std::move(set));
}

Keys Keys::from_pem(std::string_view pem) {
  auto key = pem.size() > kMostBytes ? std::nullopt : read_pem(pem);
  if (!key) throw KeysError("this is no public key in PEM of a kind that can be used");
  auto set = std::make_unique<Set>();
  set->keys.push_back(*std::move(key));
  return Keys(std::move(set));
}

std::size_t Keys::size() const { return set_->keys.size(); }

bool Keys::has(std::string_view kid) const {
  return std::ranges::any_of(set_->keys, [kid](const Key& key) { return key.id == kid; });
}

}  // namespace extproc::jwt
