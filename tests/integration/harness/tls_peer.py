"""A TLS server that shakes hands, notes what the client offered, and hangs up: what Envoy's side of TLS is."""

import socket
import ssl
import threading
from dataclasses import dataclass

from harness.certificates import Pair
from harness.processes import eventually


@dataclass(frozen=True)
class Handshake:
    """How one went: the client's part, or why it failed."""

    failure: str = ""
    version: str = ""
    protocol: str | None = None
    server_name: str | None = None
    client: tuple[str, ...] = ()


class TlsPeer:
    """Asks for a certificate of `client_ca` where there is one. Envoy's health check tries it again and again."""

    def __init__(self, pair: Pair, client_ca=None, least_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._context.minimum_version = least_version
        self._context.set_alpn_protocols(["h2"])
        self._context.sni_callback = self._note_name
        if client_ca is not None:
            self._context.load_verify_locations(client_ca)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._name: str | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.handshakes: list[Handshake] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> "TlsPeer":
        return self

    def __exit__(self, *_) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def next(self, timeout: float = 10.0) -> Handshake:
        """The next one from now on."""
        return self.next_with(lambda _: True, "a handshake", timeout)

    def next_with(self, condition, what: str, timeout: float = 10.0) -> Handshake:
        """The first from now on that meets the condition."""
        before = len(self.handshakes)
        return eventually(lambda: next((one for one in self.handshakes[before:] if condition(one)), None), what, timeout)

    def _note_name(self, _, name: str | None, __) -> None:
        self._name = name

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(5)
            self.handshakes.append(self._shake_hands(plain))

    def _shake_hands(self, plain: socket.socket) -> Handshake:
        self._name = None
        with plain:
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    # In TLS 1.3 the client may refuse what it got only now.
                    connection.recv(1)
                    names = (connection.getpeercert() or {}).get("subjectAltName", ())
                    return Handshake(
                        version=connection.version(),
                        protocol=connection.selected_alpn_protocol(),
                        server_name=self._name,
                        client=tuple(value for _, value in names),
                    )
            except OSError as error:
                return Handshake(failure=str(error) or type(error).__name__)
