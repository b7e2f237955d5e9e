"""`extproc serve` over TLS, and who is let in there."""

import re
import subprocess
from dataclasses import dataclass

import grpc

from harness import grpc_client, paths, tls_client
from harness.certificates import Authority, Pair
from harness.processes import Launcher, Process, free_port

TRIVIAL = "examples.TrivialExtProcService"


@dataclass
class Pki:
    """A CA, of it a server and a client, and another CA of which nobody has heard."""

    ca: Authority
    server: Pair
    client: Pair
    other: Authority


class Served:
    """`extproc serve` over TLS; mutual unless `clients` is False."""

    def __init__(self, launcher: Launcher, pki: Pki, *flags, service: str = TRIVIAL, clients: bool = True, pair: Pair | None = None):
        self.port = free_port()
        pair = pair or pki.server
        tls = ["--tls-cert", pair.certificate, "--tls-key", pair.key]
        tls += ["--tls-client-ca", pki.ca.certificate] if clients else []
        command = [paths.built("extproc"), "serve", "-s", service, "--listen", f"127.0.0.1:{self.port}", "-l", *tls, *flags]
        self.process: Process = launcher.start(service.rpartition(".")[2], command, env={"LOG_LEVEL": "DEBUG"})
        self.process.wait_until_open(self.port)

    def logged(self, text: str) -> str:
        return self.process.wait_for_log(text)

    def is_served(self, pki: Pki, client: Pair | None = None) -> bool:
        """Whether a new connection is let in and answered."""
        with tls_client.channel(self.port, pki.ca.certificate, client or pki.client) as channel:
            try:
                return grpc_client.check_health(channel) == 1
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                return False

    def certificate(self, pki: Pki) -> str:
        """The subject of the server's certificate, as a new connection gets it."""
        run = s_client(self.port, "-CAfile", pki.ca.certificate)
        return re.search(r"subject=(.*)", run.stdout)[1]


def s_client(port: int, *arguments, text: str = "") -> subprocess.CompletedProcess:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2", "-servername", "localhost", *arguments]
    return subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, errors="replace", timeout=20, check=False)
