"""Writes jwt_tokens.h: a JWK Set, and a token of each algorithm, as PyJWT makes them. Needs PyJWT and cryptography; the keys are
new each time, and are for nothing else."""

import hashlib
import hmac
import json
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

CLAIMS = {"iss": "https://issuer.example", "aud": ["api", "other"], "sub": "alice", "exp": 2_000_000_000, "nbf": 1_500_000_000}
RSA = rsa.generate_private_key(65537, 2048)
WEAK = rsa.generate_private_key(65537, 1024)
KEYS = [(name, name, RSA, RSAAlgorithm) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")]
KEYS += [("ES256", "ES256", ec.generate_private_key(ec.SECP256R1()), ECAlgorithm)]
KEYS += [("ES384", "ES384", ec.generate_private_key(ec.SECP384R1()), ECAlgorithm)]
KEYS += [("ES512", "ES512", ec.generate_private_key(ec.SECP521R1()), ECAlgorithm)]
KEYS += [("Ed25519", "EdDSA", ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm)]
KEYS += [("Ed448", "EdDSA", ed448.Ed448PrivateKey.generate(), OKPAlgorithm)]


def literal(text: str) -> str:
    return "\n".join(f'    R"({text[at : at + 80]})"' for at in range(0, len(text), 80))


def main() -> None:
    keys = [{**json.loads(kind.to_jwk(key.public_key())), "kid": kid, "use": "sig"} for kid, _, key, kind in KEYS]
    weak = {**json.loads(RSAAlgorithm.to_jwk(WEAK.public_key())), "kid": "weak"}
    pem = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    lines = ["#pragma once", "", "#include <string_view>", "#include <utility>", "", "// Written by make_jwt_tokens.py."]
    lines += ["namespace extproc::jwt::tokens {", "", "inline constexpr std::string_view kKeys =", literal(json.dumps({"keys": keys})) + ";"]
    lines += ["", "/// Of 1,024 bits.", "inline constexpr std::string_view kWeakKeys =", literal(json.dumps({"keys": [weak]})) + ";"]
    lines += ["", "/// The key of RS and PS.", "inline constexpr std::string_view kPem =", f'    R"({pem})";']
    lines += ["", "/// kid, and a token.", "inline constexpr std::pair<std::string_view, std::string_view> kTokens[] = {"]
    for kid, algorithm, key, _ in KEYS:
        lines += [f'    {{"{kid}",', literal(jwt.encode(CLAIMS, key, algorithm, headers={"kid": kid})) + "},"]
    lines += ["};", "", "/// Signed by the bytes of kPem as a symmetric key would be."]
    header, claims, _ = jwt.encode(CLAIMS, "x" * 32, "HS256", headers={"kid": "RS256"}).split(".")
    signature = hmac.new(pem.encode(), f"{header}.{claims}".encode(), hashlib.sha256).digest()
    confused = f"{header}.{claims}.{jwt.utils.base64url_encode(signature).decode()}"
    lines += ["inline constexpr std::string_view kConfusedToken =", literal(confused) + ";"]
    weak_token = jwt.encode(CLAIMS, WEAK, "RS256", headers={"kid": "weak"})
    lines += ["", "inline constexpr std::string_view kWeakToken =", literal(weak_token) + ";"]
    for name, extra in (("kCritical", {"crit": ["exp"]}), ("kOtherType", {"typ": "at+jwt"})):
        token = jwt.encode(CLAIMS, RSA, "RS256", headers={"kid": "RS256", **extra})
        lines += ["", f"inline constexpr std::string_view {name} =", literal(token) + ";"]
    lines += ["", "/// Claims, and a token of them by RS256.", "inline constexpr std::pair<std::string_view, std::string_view> kClaims[] = {"]
    for name, claims_of in (
        ("no exp", {"sub": "alice"}),
        ("exp is text", {"exp": "2000000000"}),
        ("exp is a fraction", {"exp": 2_000_000_000.5}),
        ("aud is text", {"exp": 2_000_000_000, "aud": "api"}),
        ("claims are no object", None),
        ("exp twice", b'{"exp":1,"exp":2000000000}'),
    ):
        payload = claims_of if isinstance(claims_of, bytes) else json.dumps([] if claims_of is None else claims_of).encode()
        token = jwt.api_jws.encode(payload, RSA, "RS256", headers={"kid": "RS256"})
        lines += [f'    {{"{name}",', literal(token) + "},"]
    lines += ["};", "", "}  // namespace extproc::jwt::tokens"]
    (Path(__file__).parent / "jwt_tokens.h").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
