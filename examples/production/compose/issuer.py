#!/usr/bin/env python3
"""Stands for an issuer of tokens: makes a key, writes the public one to jwks.json beside this file, and prints a token for a day.
Needs PyJWT and cryptography. issuer.py [FOLDER]"""

import json
import sys
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


def main(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = str(int(time.time()))
    public = json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": name}
    (folder / "jwks.json").write_text(json.dumps({"keys": [public]}))
    now = int(time.time())
    claims = {"iss": "https://issuer.example", "aud": "api", "sub": "alice", "tenant": "acme", "iat": now, "exp": now + 86400}
    print(jwt.encode(claims, key, "ES256", headers={"kid": name}))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
