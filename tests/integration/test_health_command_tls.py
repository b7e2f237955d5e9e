"""`extproc health` over TLS: servers of gRPC's own, and such that only shake hands."""

import contextlib
import ssl
import subprocess
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from harness import paths
from harness.certificates import Authority, Pair
from harness.command import extproc
from harness.health_command import TIMEOUT, healthy, peer, timed, unhealthy
from harness.processes import free_port


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@contextlib.contextmanager
def tls_server(pair: Pair, clients: Authority | None = None, status: str = "SERVING"):
    """The port of a server that demands certificates of `clients`, if any."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    ca = clients.certificate.read_bytes() if clients else None
    credentials = grpc.ssl_server_credentials([pair.pem()], ca, clients is not None)
    # Not port 0: of the addresses of localhost, gRPC would take one that it can have, and another server the others.
    port = server.add_secure_port(f"localhost:{free_port()}", credentials)
    server.start()
    yield port
    server.stop(None).wait()


def handshakes(certificate: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context


@contextlib.contextmanager
def other_tls_server(context: ssl.SSLContext):
    """The port of a server that only shakes hands, with what the context says, and then reads."""

    def answer(connection):
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            while wrapped.recv(1 << 16):
                pass

    with peer(answer) as port:
        yield port


def test_tls(authority):
    with tls_server(authority.server()) as port:
        for host in ("localhost:", "127.0.0.1:", ""):
            healthy(f"{host}{port}", "--tls-ca", authority.certificate, *TIMEOUT)
        assert 'does not know the service "x"' in unhealthy(
            f"localhost:{port}", "--tls-ca", authority.certificate, "--service", "x", *TIMEOUT
        )


def test_tls_not_serving(authority):
    with tls_server(authority.server(), status="NOT_SERVING") as port:
        assert "is NOT_SERVING" in unhealthy(f"localhost:{port}", "--tls-ca", authority.certificate, *TIMEOUT)


def test_the_systems_cas_are_the_default(authority):
    with tls_server(authority.server()) as port:
        assert "of an unknown CA" in unhealthy(f"localhost:{port}", "--tls", *TIMEOUT)
        run = extproc("health", f"localhost:{port}", "--tls", *TIMEOUT, env={"SSL_CERT_FILE": str(authority.certificate)})
        assert run.returncode == 0, run.stderr


def test_a_tls_server_asked_in_clear_text(authority):
    with tls_server(authority.server()) as port:
        assert "ask it with --tls" in unhealthy(f"localhost:{port}", *TIMEOUT)
    # What other servers say: that the version is none of theirs.
    alert = bytes((21, 3, 1, 0, 2, 2, 70))
    with peer(lambda connection: connection.recv(1 << 16) and connection.sendall(alert)) as port:
        assert "the server speaks TLS: ask it with --tls" in unhealthy(f"127.0.0.1:{port}", *TIMEOUT)


def test_a_server_in_clear_text_asked_with_tls(trivial, authority):
    error = unhealthy(trivial.address, "--tls-ca", authority.certificate, *TIMEOUT)
    assert "does not speak TLS: leave out the --tls flags" in error


def test_unknown_ca(authority, stranger):
    with tls_server(authority.server()) as port:
        error = unhealthy(f"localhost:{port}", "--tls-ca", stranger.certificate, *TIMEOUT)
    assert "the server's certificate is of an unknown CA" in error
    assert "--tls-ca" in error


def test_expired(authority):
    with tls_server(authority.expired("DNS:localhost")) as port:
        error = unhealthy(f"localhost:{port}", "--tls-ca", authority.certificate, *TIMEOUT)
    assert "the server's certificate has expired, on 20" in error


def test_names(authority):
    flags = ("--tls-ca", authority.certificate, *TIMEOUT)
    with tls_server(authority.server("DNS:processor.example", "DNS:*.wild.example", "IP:127.0.0.2")) as port:
        error = unhealthy(f"localhost:{port}", *flags)
        assert "is not for localhost, but for processor.example, *.wild.example, 127.0.0.2" in error
        assert "is not for 127.0.0.1, but for" in unhealthy(f"127.0.0.1:{port}", *flags)
        for name in ("processor.example", "a.wild.example", "127.0.0.2"):
            healthy(f"localhost:{port}", *flags, "--tls-server-name", name)
        assert "is not for 127.0.0.3" in unhealthy(f"localhost:{port}", *flags, "--tls-server-name", "127.0.0.3")


def test_mutual_tls(authority, stranger):
    mine, other = authority.client(), stranger.client()
    with tls_server(authority.server(), clients=authority) as port:
        flags = (f"localhost:{port}", "--tls-ca", authority.certificate, *TIMEOUT)
        healthy(*flags, "--tls-cert", mine.certificate, "--tls-key", mine.key)
        assert "the server demands a client certificate (mutual TLS)" in unhealthy(*flags)
        refused = unhealthy(*flags, "--tls-cert", other.certificate, "--tls-key", other.key)
        assert "the server" in refused and "demands" not in refused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates_in_both_versions(authority, stranger, version):
    context = handshakes(authority.server())
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    other = stranger.client()
    with other_tls_server(context) as port:
        flags = (f"localhost:{port}", "--tls-ca", authority.certificate, *TIMEOUT)
        assert "the server demands a client certificate" in unhealthy(*flags)
        refused = unhealthy(*flags, "--tls-cert", other.certificate, "--tls-key", other.key)
        assert "the server refused the client certificate of --tls-cert: unknown CA" in refused


def test_tls_without_http2(authority):
    for protocols in ([], ["http/1.1"]):
        context = handshakes(authority.server())
        context.set_alpn_protocols(protocols)
        with other_tls_server(context) as port:
            error = unhealthy(f"localhost:{port}", "--tls-ca", authority.certificate, *TIMEOUT)
        assert "does not speak HTTP/2 over TLS (ALPN h2)" in error


def test_old_tls(authority):
    context = handshakes(authority.server())
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with other_tls_server(context) as port:
        error = unhealthy(f"localhost:{port}", "--tls-ca", authority.certificate, *TIMEOUT)
    assert "does not speak TLS 1.2 or later" in error


def test_a_tls_server_that_says_nothing_behind_the_handshake(authority):
    context = handshakes(authority.server())
    context.set_alpn_protocols(["h2"])
    with other_tls_server(context) as port:
        error, seconds = timed(f"localhost:{port}", "--tls-ca", authority.certificate, "--timeout", 0.5)
    assert "timed out after 0.5 s: the server took the connection and did not answer" in error
    assert 0.5 <= seconds < 2


def test_a_key_with_a_password(authority, tmp_path):
    mine, locked = authority.client(), tmp_path / "locked.key"
    command = ["openssl", "pkcs8", "-topk8", "-in", mine.key, "-out", locked, "-passout", "pass:secret"]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    error = unhealthy(free_port(), "--tls-cert", mine.certificate, "--tls-key", locked)
    assert f"{locked}: the key has a password" in error


def test_the_server_hears_why_its_certificate_is_refused(own_launcher, authority, stranger):
    pair = authority.server()
    port = free_port()
    flags = ["--listen", f"127.0.0.1:{port}", "--tls-cert", pair.certificate, "--tls-key", pair.key]
    server = own_launcher.start("server", [paths.built("extproc"), "serve", "-s", "examples.TrivialExtProcService", *flags])
    server.wait_until_open(port)
    assert "of an unknown CA" in unhealthy(port, "--tls-ca", stranger.certificate)
    server.wait_for_log("the client does not know the CA of this server's certificate")


def test_files_that_cannot_be_used(authority, stranger, tmp_path):
    mine, other = authority.client(), stranger.client()
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    port = free_port()  # nothing is connected to
    assert f"{tmp_path}/none cannot be read: No such file" in unhealthy(port, "--tls-ca", f"{tmp_path}/none")
    assert f"{text} has no certificate" in unhealthy(port, "--tls-ca", text)
    assert f"{text} has no certificate" in unhealthy(port, "--tls-cert", text, "--tls-key", mine.key)
    assert f"{text} has no private key" in unhealthy(port, "--tls-cert", mine.certificate, "--tls-key", text)
    mixed = unhealthy(port, "--tls-cert", mine.certificate, "--tls-key", other.key)
    assert f"{other.key}: the key does not belong to the first certificate of {mine.certificate}" in mixed
