"""Who issues JSON Web Tokens: keys and tokens by PyJWT, and a server of Python's that tells the public ones."""

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from harness.processes import free_port

ISSUER, AUDIENCE = "https://issuer.example", "api"
_ALGORITHMS = {
    "ES256": (ECAlgorithm, lambda: ec.generate_private_key(ec.SECP256R1())),
    "RS256": (RSAAlgorithm, lambda: rsa.generate_private_key(65537, 2048)),
}


class Issuer:
    """`port`: to be there again where another was; `tls`: files of a certificate and a key."""

    def __init__(self, port: int | None = None, tls: tuple | None = None, algorithm: str = "ES256"):
        self.port = port or free_port()
        self._algorithm = algorithm
        self.fetches = 0
        self.delay = 0.0
        """Before each answer, in seconds."""
        self.broken = False
        self._keys: dict[str, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey] = {}
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}/keys"
        self._server: ThreadingHTTPServer | None = None
        self._tls = tls
        self.rotate()
        self.open()

    def rotate(self, keep: int = 1) -> str:
        """A new key, and the last of those before; the new one's name."""
        name = f"key-{time.monotonic_ns()}"
        _, make = _ALGORITHMS[self._algorithm]
        self._keys = dict(list(self._keys.items())[-keep:] if keep else []) | {name: make()}
        return name

    def token(self, **claims) -> str:
        """By the newest key."""
        name, key = list(self._keys.items())[-1]
        now = int(time.time())
        all_claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600} | claims
        return jwt.encode(all_claims, key, self._algorithm, headers={"kid": name})

    def open(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                issuer.fetches += 1
                time.sleep(issuer.delay)
                to_jwk = _ALGORITHMS[issuer._algorithm][0].to_jwk
                keys = [json.loads(to_jwk(key.public_key())) | {"kid": name} for name, key in issuer._keys.items()]
                body = json.dumps({"keys": keys}).encode()
                self.send_response(500 if issuer.broken else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        if self._tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*self._tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Nobody is there. Connections that are open stay."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def settings(issuer: Issuer, **more) -> dict:
    """Of JwtAuth."""
    claims = [{"claim": "/sub", "header": "x-user"}, {"claim": "/plan", "header": "x-plan"}]
    return {"jwks_url": issuer.url, "issuer": ISSUER, "audiences": [AUDIENCE], "claims": claims, **more}


def bearer(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]
