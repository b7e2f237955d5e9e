"""`extproc health` in clear text: what it says and exits with, for servers of every kind."""

import contextlib
import signal
import socket
import time
from concurrent import futures

import grpc
import pytest

from harness import protos
from harness.command import extproc
from harness.extproc import Extproc
from harness.health_command import TIMEOUT, healthy, peer, timed, unhealthy
from harness.processes import free_port

LIVELY = "test_processors.Lively"


# In clear text, a server of ours.


@pytest.mark.parametrize("host", ["", "127.0.0.1:", "localhost:", "[::1]:"])
def test_serving(trivial, host):
    healthy(f"{host}{trivial.address}", *TIMEOUT)


@pytest.mark.parametrize("service", [protos.SERVICE, "TrivialExtProcService"])
def test_services_that_the_server_knows(trivial, service):
    healthy(trivial.address, "--service", service, *TIMEOUT)


def test_unknown_service(trivial):
    error = unhealthy(trivial.address, "--service", "another.Service", *TIMEOUT)
    assert 'does not know the service "another.Service" (NOT_FOUND)' in error
    assert f"localhost:{trivial.address}" in error


def test_unix_domain_socket(own_launcher, tmp_path):
    path = tmp_path / "extproc.sock"
    assert f"unix:{path}: cannot connect: there is no such socket" in unhealthy(f"unix:{path}")
    server = Extproc(own_launcher, None, socket=path)
    healthy(f"unix:{path}", *TIMEOUT)
    server.process.signal(signal.SIGKILL)
    server.process.wait()
    assert "connection refused" in unhealthy(f"unix:{path}")


def test_not_ready_and_ready(own_launcher, tmp_path):
    ready = tmp_path / "ready"
    server = Extproc(own_launcher, LIVELY, env={"LIVELY_READY": str(ready)})
    assert "the server is NOT_SERVING" in unhealthy(server.address, *TIMEOUT)
    assert f'the service "{protos.SERVICE}" is NOT_SERVING' in unhealthy(
        server.address, "--service", protos.SERVICE, *TIMEOUT
    )
    ready.touch()
    end = time.monotonic() + 5
    while extproc("health", server.address, *TIMEOUT).returncode != 0:
        assert time.monotonic() < end
    healthy(server.address, *TIMEOUT)


def test_draining(own_launcher):
    server = Extproc(own_launcher, None, ("--drain-delay", 20, "--grace-period", 20))
    # A peer that has not noticed that the server ends: it is waited for.
    with socket.create_connection(("127.0.0.1", server.address)) as unaware:
        unaware.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        assert unaware.recv(1)
        healthy(server.address, *TIMEOUT)
        server.process.signal(signal.SIGTERM)
        end = time.monotonic() + 5
        while (run := extproc("health", server.address, *TIMEOUT)).returncode == 0:
            assert time.monotonic() < end
        assert "the server is NOT_SERVING: it is shutting down, or not ready" in run.stderr
        server.process.signal(signal.SIGTERM)
        server.process.wait()
    assert "connection refused" in unhealthy(server.address)


# Peers that are no such server.


def test_nothing_listens():
    port = free_port()
    assert f"127.0.0.1:{port}: connection refused: nothing listens there" in unhealthy(f"127.0.0.1:{port}")
    assert f"localhost:{port}: connection refused" in unhealthy(port)


def test_unknown_name():
    assert "the name no-such-host.invalid could not be looked up" in unhealthy("no-such-host.invalid:1", *TIMEOUT)


@pytest.mark.parametrize("flags", [(), ("--tls",)])
def test_a_peer_that_never_answers(flags):
    with peer(lambda connection: connection.recv(1 << 16) and connection.recv(1)) as port:
        error, seconds = timed(f"127.0.0.1:{port}", "--timeout", 0.4, *flags)
    assert "timed out after 0.4 s" in error
    assert ("TLS handshake" if flags else "took the connection and did not answer") in error
    assert 0.4 <= seconds < 2


def test_the_time_is_a_second_by_default():
    with peer(lambda connection: connection.recv(1 << 16) and connection.recv(1)) as port:
        error, seconds = timed(f"127.0.0.1:{port}")
    assert "timed out after 1 s" in error
    assert 1 <= seconds < 3


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_peer_that_does_not_accept(kind, tmp_path):
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    with socket.socket(family) as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0) if kind == "tcp" else str(tmp_path / "socket"))
        listener.listen(0)
        for _ in range(4):  # more than it keeps
            client = waiting.enter_context(socket.socket(family))
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        address = f"127.0.0.1:{listener.getsockname()[1]}" if kind == "tcp" else f"unix:{tmp_path}/socket"
        error, seconds = timed(address, "--timeout", 0.3)
    assert "cannot connect: timed out after 0.3 s" in error
    assert 0.3 <= seconds < 2


def drip(data: bytes):
    def answer(connection):
        for byte in data:
            connection.sendall(bytes((byte,)))
            time.sleep(0.02)

    return answer


PING = bytes((0, 0, 8, 6, 0, 0, 0, 0, 0)) + bytes(8)
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("data", "flags"),
    [(SETTINGS + PING * 20, ()), (bytes((22, 3, 3, 0x40, 0)) + bytes(300), ("--tls",))],
    ids=["http2", "tls"],
)
def test_bytes_that_drip_take_no_longer(data, flags):
    with peer(drip(data)) as port:
        error, seconds = timed(f"127.0.0.1:{port}", "--timeout", 0.5, *flags)
    assert "timed out after 0.5 s" in error
    assert ("TLS handshake" if flags else "has not answered in full") in error
    assert 0.5 <= seconds < 2


def test_a_peer_that_sends_without_end():
    def flood(connection):
        connection.sendall(SETTINGS)
        while True:
            connection.sendall(PING * 500)

    with peer(flood) as port:
        error, seconds = timed(f"127.0.0.1:{port}", *TIMEOUT)
    assert f"127.0.0.1:{port}: the server" in error
    assert seconds < 5


def test_http1():
    def answer(connection):
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    with peer(answer) as port:
        error = unhealthy(f"127.0.0.1:{port}", *TIMEOUT)
        assert "speaks HTTP/1, not HTTP/2" in error and '"HTTP/1.1 400 Bad Request"' in error
        assert "does not speak TLS" in unhealthy(f"127.0.0.1:{port}", "--tls", *TIMEOUT)


@pytest.mark.parametrize(("answer", "said"), [(b"SSH-2.0-server\r\n", "does not speak HTTP/2"), (b"", "without an answer")])
def test_another_protocol(answer, said):
    with peer(lambda connection: connection.recv(1 << 16) and connection.sendall(answer)) as port:
        assert said in unhealthy(f"127.0.0.1:{port}", *TIMEOUT)


def test_grpc_without_health():
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    assert "has no health service, grpc.health.v1.Health (UNIMPLEMENTED)" in unhealthy(f"127.0.0.1:{port}", *TIMEOUT)
    server.stop(None)


# The command line.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "address is required"),
        (("nowhere",), 'ADDRESS "nowhere"'),
        (("0",), 'ADDRESS "0"'),
        (("1", "--timeout", "0"), "--timeout"),
        (("1", "--tls-key", "x"), "--tls-key was given alone"),
        (("1", "--nonsense"), "--nonsense"),
    ],
)
def test_wrong_usage(arguments, said):
    run = extproc("health", *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert said in run.stderr


def test_help():
    assert "health" in extproc("--help").stdout
    text = extproc("health", "--help").stdout
    for flag in ("--service", "--timeout", "--tls", "--tls-ca", "--tls-cert", "--tls-key", "--tls-server-name"):
        assert flag in text
