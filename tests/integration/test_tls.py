"""TLS of `extproc serve`: clients that are let in and that are not, with programs that we did not write."""

import json
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from harness import grpc_client, http, over_tls, paths, protos, tls_client
from harness.certificates import Pair
from harness.command import extproc
from harness.envoy import envoy_in_front
from harness.envoy_config import Mode, grpc_health_check
from harness.processes import eventually, free_port, is_open
from harness.test_server import TestServer
from harness.tls_server import TRIVIAL, Pki, Served, s_client

PEER = "test_processors.Peer"
HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")


@pytest.mark.parametrize("mutual", [False, True], ids=["tls", "mutual"])
def test_envoy(own_launcher, pki, echo_port, mutual):
    served = Served(own_launcher, pki, service=PEER, clients=mutual)
    transport = over_tls.transport_socket(pki.ca.certificate, pki.client if mutual else None)
    port, envoy = envoy_in_front(
        own_launcher, served.port, echo_port, HEADERS_ONLY, health_check=grpc_health_check("0.2s"), transport_socket=transport
    )
    envoy.wait_for_healthy("processor", 1)
    headers = dict(http.request(port, "POST", "/", body=b"body").json()["headers"])
    assert headers["x-peer"] == (f"CN={pki.client.certificate.stem}" if mutual else "none")
    if mutual:
        assert (headers["x-peer-name"], headers["x-peer-uri"]) == ("envoy.example", "spiffe://example.org/envoy")
        printed = subprocess.run(
            ["openssl", "x509", "-in", pki.client.certificate, "-noout", "-fingerprint", "-sha256"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert headers["x-peer-fingerprint"] == printed.stdout.strip().partition("=")[2].replace(":", "").lower()
    assert envoy.ext_proc_failures() == {}
    assert envoy.stats(r"cluster\.processor\.ssl\.handshake")["cluster.processor.ssl.handshake"] > 0
    assert "TLS 1.2 and 1.3" in served.logged("speaks TLS")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl(own_launcher, pki, version):
    served = Served(own_launcher, pki, clients=False)
    run = s_client(served.port, "-CAfile", pki.ca.certificate, version)
    assert "ALPN protocol: h2" in run.stdout
    assert "Verify return code: 0 (ok)" in run.stdout
    assert "Compression: NONE" in run.stdout
    assert "Secure Renegotiation IS" in run.stdout
    assert "Session Ticket" not in run.stdout and "Reused" not in run.stdout


def test_no_handshake_follows_the_first(own_launcher, pki):
    served = Served(own_launcher, pki, clients=False)
    run = s_client(served.port, "-CAfile", pki.ca.certificate, "-tls1_2", "-legacy_renegotiation", text="R\n")
    assert "RENEGOTIATING" in run.stdout + run.stderr
    # It is refused, or crossed by the server's SETTINGS; the certificate is shown once.
    assert any(error in run.stderr for error in ("no renegotiation", "handshake failure", "unexpected record")), run.stderr
    assert run.stderr.count("depth=0") == 1


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_an_older_version_is_refused(own_launcher, pki, flag):
    served = Served(own_launcher, pki, clients=False)
    assert "alert protocol version" in s_client(served.port, flag, "-cipher", "ALL:@SECLEVEL=0").stderr
    served.logged("older TLS")


def test_the_least_version(own_launcher, pki):
    served = Served(own_launcher, pki, "--tls-min-version", "1.3", clients=False)
    assert "alert protocol version" in s_client(served.port, "-tls1_2").stderr
    assert "ALPN protocol: h2" in s_client(served.port, "-tls1_3").stdout


def test_grpcio(own_launcher, pki):
    served = Served(own_launcher, pki, service=PEER)
    request = protos.ProcessingRequest(request_headers={"end_of_stream": True})
    with tls_client.channel(served.port, pki.ca.certificate, pki.client) as channel:
        (response,) = grpc_client.process(channel)(iter([request]))
    headers = {option.header.key for option in response.request_headers.response.header_mutation.set_headers}
    assert "x-peer-fingerprint" in headers


def test_tools(own_launcher, pki):
    served = Served(own_launcher, pki)
    ca, certificate, key = pki.ca.certificate, pki.client.certificate, pki.client.key
    address = f"127.0.0.1:{served.port}"
    probe = [f"-addr={address}", "-tls", f"-tls-ca-cert={ca}", f"-tls-client-cert={certificate}", f"-tls-client-key={key}"]
    call = ["-cacert", ca, "-cert", certificate, "-key", key, "-protoset", paths.DESCRIPTORS, "-d", json.dumps({"requestHeaders": {}})]
    commands = {
        "grpc-health-probe": [*probe, "-tls-server-name=localhost"],
        "grpcurl": [*call, address, "envoy.service.ext_proc.v3.ExternalProcessor/Process"],
    }
    for tool, arguments in commands.items():
        run = subprocess.run([str(part) for part in (paths.tool(tool), *arguments)], capture_output=True, text=True, timeout=20, check=False)
        assert run.returncode == 0, run.stderr


REFUSED = {
    "no certificate": "the client showed no certificate",
    "of an unknown CA": "of an unknown CA",
    "expired": "the client's certificate is expired",
    "not valid yet": "not valid yet",
    "of a server": "not made for clients",
    "revoked": "revoked by its CA",
    "another name": "none of the names that are allowed",
}


def refused_client(pki: Pki, kind: str) -> Pair | None:
    now, day = datetime.now(UTC), timedelta(days=1)
    names = ("DNS:envoy.example",)
    match kind:
        case "of an unknown CA":
            return pki.other.client(*names)
        case "expired":
            return pki.ca.client(*names, not_before=now - 2 * day, not_after=now - day)
        case "not valid yet":
            return pki.ca.client(*names, not_before=now + day, not_after=now + 2 * day)
        case "of a server":
            return pki.ca.server(*names)
        case "another name":
            return pki.ca.client("DNS:other.example", "URI:spiffe://example.org.evil/envoy")
        case "revoked":
            pair = pki.ca.client(*names)
            pki.ca.revoke(pair)
            return pair
    return None


@pytest.mark.parametrize("kind", REFUSED)
def test_a_client_that_is_refused(own_launcher, pki, kind):
    """It is told, counted, and nobody else is disturbed."""
    client = refused_client(pki, kind)
    flags = ["--tls-allow-san", "dns:envoy.example", "--tls-allow-san", "spiffe://example.org/", "--tls-crl", pki.ca.revoked()]
    served = Served(own_launcher, pki, *flags)
    with tls_client.channel(served.port, pki.ca.certificate, pki.client) as channel:
        assert grpc_client.check_health(channel) == 1
        for _ in range(2):
            with tls_client.channel(served.port, pki.ca.certificate, client) as refused:
                with pytest.raises(grpc.RpcError) as error:
                    grpc_client.check_health(refused)
                assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        assert grpc_client.check_health(channel) == 1
    line = served.logged(REFUSED[kind])
    assert "WARNING" in line
    # Each is told, the first of its kind aloud.
    assert len([other for other in served.process.log().splitlines() if REFUSED[kind] in other and "WARNING" in other]) == 1
    assert served.is_served(pki)


def test_handshakes_are_counted(own_launcher, pki, tmp_path):
    for source, name in ((pki.server.certificate, "server.pem"), (pki.server.key, "server.key"), (pki.ca.certificate, "ca.pem")):
        shutil.copy(source, tmp_path / name)
    served = TestServer(own_launcher, "Scripted", tls=str(tmp_path))
    before = served.stats()
    with tls_client.channel(served.address, pki.ca.certificate, pki.client) as channel:
        assert grpc_client.check_health(channel) == 1
    for client in (None, pki.other.client()):
        with tls_client.channel(served.address, pki.ca.certificate, client) as channel, pytest.raises(grpc.RpcError):
            grpc_client.check_health(channel)
    after = served.stats()
    assert after["tls_handshakes"] - before["tls_handshakes"] == 1
    assert after["tls_handshakes_failed"] - before["tls_handshakes_failed"] >= 2


def test_a_handshake_does_not_delay_the_end(own_launcher, pki):
    served = Served(own_launcher, pki)
    with socket.create_connection(("127.0.0.1", served.port)) as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert served.is_served(pki)
        begin = time.monotonic()
        served.process.signal(15)
        assert served.process.wait() == 0
        assert time.monotonic() - begin < 4


def test_a_server_whose_ca_the_client_does_not_know(own_launcher, pki):
    served = Served(own_launcher, pki, clients=False)
    s_client(served.port, "-CAfile", pki.other.certificate, "-verify_return_error")
    served.logged("the client does not know the CA of this server's certificate")


def test_clear_text_on_a_port_of_tls(own_launcher, pki):
    served = Served(own_launcher, pki)
    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel, pytest.raises(grpc.RpcError):
        grpc_client.check_health(channel)
    assert "extproc config --tls" in served.logged("clear text (HTTP/2) to a port that speaks TLS")
    assert served.is_served(pki)


def test_another_protocol_inside(own_launcher, pki):
    served = Served(own_launcher, pki, clients=False)
    for arguments in (("-alpn", "http/1.1"), ()):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", *arguments]
        subprocess.run(command, input="", capture_output=True, text=True, timeout=20, check=False)
    served.logged("does not offer h2 by ALPN")


def test_tls_on_a_port_of_clear_text(own_launcher):
    port = free_port()
    process = own_launcher.start("clear", [paths.built("extproc"), "serve", "-s", TRIVIAL, "--listen", f"127.0.0.1:{port}"])
    process.wait_until_open(port)
    s_client(port)
    assert "--tls-cert" in process.wait_for_log("a TLS ClientHello came on a port that speaks HTTP/2 in clear text")


@pytest.mark.parametrize(("address", "said"), [("127.0.0.1", False), ("[::1]", False), ("0.0.0.0", True), ("[::]", True)])
def test_clear_text_that_others_may_reach_is_said(own_launcher, address, said):
    port = free_port()
    process = own_launcher.start("clear", [paths.built("extproc"), "serve", "-s", TRIVIAL, "--listen", f"{address}:{port}", "-l"])
    process.wait_for_log("MiB in memory")
    eventually(lambda: process.log().endswith("\n"), "a whole line")
    process.signal(15)
    assert process.wait() == 0
    assert process.log().count("listens in clear text") == int(said)


def test_what_is_wrong_is_refused_at_the_start(pki, tmp_path):
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("text\n")
    other = pki.ca.server()
    cases = [
        ((missing, pki.server.key), (), f"{missing} cannot be read: No such file"),
        ((text, pki.server.key), (), f"{text} has no certificate"),
        ((pki.server.certificate, text), (), f"{text} has no private key"),
        ((pki.server.certificate, other.key), (), f"{other.key}: the key does not belong to the first certificate of {pki.server.certificate}"),
        ((pki.server.certificate, pki.server.key), ("--tls-client-ca", text), f"{text} has no certificate"),
        ((pki.server.certificate, pki.server.key), ("--tls-client-ca", tmp_path), f"{tmp_path} cannot be read"),
        (
            (pki.server.certificate, pki.server.key),
            ("--tls-client-ca", pki.ca.certificate, "--tls-crl", pki.ca.certificate),
            f"{pki.ca.certificate} has no certificate revocation list",
        ),
        (
            (pki.server.certificate, pki.server.key),
            ("--tls-client-ca", pki.ca.certificate, "--tls-allow-san", "envoy"),
            '"envoy" is no name that a client\'s certificate can be allowed by',
        ),
    ]
    for (certificate, key), flags, said in cases:
        run = extproc("serve", "-s", TRIVIAL, "-p", "0", "--tls-cert", certificate, "--tls-key", key, *flags)
        assert run.returncode == 1, said
        assert said in run.stderr and run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "flags",
    [
        ("--tls-cert", "a"), ("--tls-key", "a"), ("--tls-client-ca", "a"), ("--tls-crl", "a"), ("--tls-allow-san", "dns:a"),
        ("--tls-cert", "a", "--tls-key", "a", "--tls-allow-san", "dns:a"), ("--tls-cert", "a", "--tls-key", "a", "--tls-min-version", "1.1"),
    ],
)  # fmt: skip
def test_wrong_usage(flags):
    run = extproc("serve", "-s", TRIVIAL, "-p", "0", *flags)
    assert run.returncode == 2
    assert "--tls-" in run.stderr and run.stderr.count("\n") == 1


def test_two_thousand_slow_handshakes(own_launcher, pki):
    """What begins and goes no further holds nobody up, and is bounded."""
    served = Served(own_launcher, pki, "--handshakes", "500")
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(2_000)]
    for connection in slow:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    for _ in range(20):
        assert served.is_served(pki)
    served.logged("more are under way than Limits::handshakes")
    closed = 0
    for connection in slow:
        connection.settimeout(0.001)
        try:
            closed += connection.recv(1) == b""
        except TimeoutError:
            pass
        except ConnectionError:
            closed += 1
    assert closed >= 1_500
    for connection in slow:
        connection.close()


def test_processors_of_one_process_share_it(own_launcher, pki):
    ports = [free_port(), free_port()]
    listen = [flag for port in ports for flag in ("--listen", f"127.0.0.1:{port}")]
    tls = ["--tls-cert", pki.server.certificate, "--tls-key", pki.server.key]
    command = [paths.built("extproc"), "serve", "--separate", "-s", f"{TRIVIAL},{PEER}", *listen, "-l", *tls]
    process = own_launcher.start("both", command)
    for port in ports:
        process.wait_until_open(port)
        with tls_client.channel(port, pki.ca.certificate) as channel:
            assert grpc_client.check_health(channel) == 1


def test_a_unix_socket_stays_clear(own_launcher, pki, tmp_path):
    path = tmp_path / "socket"
    tls = ["--tls-cert", pki.server.certificate, "--tls-key", pki.server.key]
    process = own_launcher.start("unix", [paths.built("extproc"), "serve", "-s", TRIVIAL, "--listen", f"unix:{path}", *tls])
    process.wait_until_open(path)
    assert is_open(path)
    with grpc_client.channel(str(path)) as channel:
        assert grpc_client.check_health(channel) == 1
