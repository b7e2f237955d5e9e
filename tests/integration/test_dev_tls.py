"""`extproc dev --tls`: Envoy and the processors speak mutual TLS, with certificates that are there as long as the command runs."""

import shutil
import signal
import socket
import ssl
import stat
from pathlib import Path

import yaml

from harness import http
from harness.dev import Dev

TRIVIAL, TIMER = "examples.TrivialExtProcService", "examples.TimerExtProcService"


def _files(folder: Path) -> Path:
    """Where the command has its own."""
    return next(folder.iterdir())


def _ports(folder: Path) -> list[int]:
    """Those of the processors, as Envoy is told."""
    clusters = yaml.safe_load((_files(folder) / "envoy.yaml").read_text())["static_resources"]["clusters"]
    endpoints = [one["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"] for one in clusters if one["name"] != "upstream"]
    return [one["address"]["socket_address"]["port_value"] for one in endpoints]


def _is_let_in(port: int, ca: Path, certificate: Path | None = None, key: Path | None = None) -> bool:
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
                # The server's SETTINGS; or, in TLS 1.3, that it wants a certificate.
                return connection.recv(9) != b""
        except OSError:
            return False


def test_traffic_and_the_end(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL, "--tls")
    response = http.request(dev.port, "GET", "/path")
    assert response.status == 200
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService"
    files = _files(folder)
    assert not list(files.glob("*.sock"))
    assert stat.S_IMODE(files.stat().st_mode) == 0o700
    keys = list(files.glob("*.key"))
    assert len(keys) == 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    [port] = _ports(folder)
    ca = files / "ca.pem"
    assert _is_let_in(port, ca, files / "client.pem", files / "client.key")
    assert not _is_let_in(port, ca)
    # One of the same CA that is none of a client's.
    assert not _is_let_in(port, ca, files / "server.pem", files / "server.key")
    dev.process.signal(signal.SIGTERM)
    assert dev.process.wait() == 0
    assert not list(folder.iterdir())


def test_separate_processors(own_launcher, folder, echo_port):
    dev = Dev(own_launcher, folder, echo_port, "-s", f"{TRIVIAL},{TIMER}", "--separate", "--tls")
    response = http.request(dev.port, "GET", "/")
    assert set(response.get("x-ext-procs-applied").split(",")) == {"TrivialExtProcService", "TimerExtProcService"}
    assert len(set(_ports(folder))) == 2


def test_each_run_has_a_ca_of_its_own(own_launcher, folder, echo_port, tmp_path):
    seen = []
    for number in range(2):
        dev = Dev(own_launcher, folder, echo_port, "-s", TRIVIAL, "--tls")
        kept = shutil.copytree(_files(folder), tmp_path / str(number))
        if seen:
            [port] = _ports(folder)
            assert not _is_let_in(port, kept / "ca.pem", seen[0] / "client.pem", seen[0] / "client.key")
        seen.append(kept)
        dev.process.signal(signal.SIGTERM)
        assert dev.process.wait() == 0
    assert (seen[0] / "ca.pem").read_bytes() != (seen[1] / "ca.pem").read_bytes()

