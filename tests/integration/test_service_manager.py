"""The command under a service manager that hands it sockets and is told how it is: what systemd does, without systemd."""

import signal
import socket
import sys
from pathlib import Path

import grpc
import pytest

from harness import paths, protos
from harness.grpc_client import Requests, channel, process

ACTIVATE = Path(__file__).parent / "harness" / "activate.py"
BOTH = ("--separate", "-s", "examples.TrivialExtProcService,examples.EchoExtProcService")
GET = {":method": "GET", ":path": "/"}


def listening(address=("127.0.0.1", 0), family=socket.AF_INET) -> socket.socket:
    made = socket.socket(family)
    made.bind(address)
    made.listen()
    return made


def port_of(made: socket.socket) -> int:
    return made.getsockname()[1]


def start(launcher, sockets, *arguments, names="", env=None):
    """`extproc serve` with sockets."""
    command = [sys.executable, ACTIVATE, ",".join(str(made.fileno()) for made in sockets), names, paths.built("extproc"), "serve"]
    return launcher.start("activated", [*command, *arguments], env=env, pass_fds=tuple(made.fileno() for made in sockets))


def chain_of(address) -> str:
    """What the server at the address adds to a response: who it is."""
    with channel(address) as open_channel:
        requests = Requests(protos.request_headers(GET))
        call = process(open_channel)(iter(requests), timeout=20)
        next(call)
        requests.send(protos.response_headers({":status": "200"}))
        changed = next(call).response_headers.response.header_mutation.set_headers
        requests.close()
        return next(header.header.raw_value.decode() for header in changed if header.header.key == "x-ext-procs-applied")


@pytest.fixture
def manager(folder):
    """Where it listens for what it is told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(folder / "notify"))
        told.settimeout(20)
        yield told


def test_sockets_of_both_kinds(own_launcher, folder):
    tcp, local = listening(), listening(str(folder / "s"), socket.AF_UNIX)
    server = start(own_launcher, [tcp, local], "-s", "examples.TrivialExtProcService")
    assert chain_of(port_of(tcp)) == "TrivialExtProcService"
    assert chain_of(str(folder / "s")) == "TrivialExtProcService"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    # It is the service manager's.
    assert (folder / "s").is_socket()


def test_what_comes_between_two_lives_is_served_by_the_second(own_launcher):
    listener = listening()
    arguments = ("-s", "examples.TrivialExtProcService", "--drain-delay", "0")
    first = start(own_launcher, [listener], *arguments)
    assert chain_of(port_of(listener)) == "TrivialExtProcService"
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    with channel(port_of(listener)) as open_channel:
        requests = Requests(protos.request_headers(GET))
        call = process(open_channel)(iter(requests), timeout=20)
        start(own_launcher, [listener], *arguments)
        assert next(call).HasField("request_headers")
        requests.close()


@pytest.mark.parametrize(("names", "order"), [("", (0, 1)), ("EchoExtProcService:TrivialExtProcService", (1, 0))])
def test_a_socket_for_each_of_several(own_launcher, names, order):
    sockets = [listening(), listening()]
    start(own_launcher, sockets, *BOTH, names=names)
    assert [chain_of(port_of(sockets[i])) for i in order] == ["TrivialExtProcService", "EchoExtProcService"]


def test_the_manager_is_told(own_launcher, manager, folder):
    listener = listening()
    server = start(own_launcher, [listener], env={"NOTIFY_SOCKET": str(folder / "notify")})
    address = f"127.0.0.1:{port_of(listener)}"
    assert manager.recv(4096).decode() == f"READY=1\nSTATUS=serving BaseExtProcService on {address}"
    assert chain_of(port_of(listener)) == "BaseExtProcService"
    server.signal(signal.SIGHUP)
    assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert manager.recv(4096) == b"READY=1"
    server.signal(signal.SIGTERM)
    assert manager.recv(4096).startswith(b"STOPPING=1\n")
    assert server.wait() == 0


def test_without_sockets_it_is_told_as_well(own_launcher, manager, folder):
    server = own_launcher.start(
        "notifying", [paths.built("extproc"), "serve", "-p", "0"], env={"NOTIFY_SOCKET": str(folder / "notify"), "LISTEN_FDS": "1"}
    )
    assert manager.recv(4096).startswith(b"READY=1\nSTATUS=serving BaseExtProcService on [::]:")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize(
    ("count", "names", "arguments", "error"),
    [
        (1, "", ("-p", "50051"), 'to listen on (LISTEN_FDS), and "50051" is given as well'),
        (1, "", ("--listen", "127.0.0.1:1"), '"127.0.0.1:1" is given as well'),
        (1, "", BOTH, "hands over 1 socket (LISTEN_FDS) for 2 processors"),
        (3, "", BOTH, "hands over 3 sockets (LISTEN_FDS) for 2 processors"),
        (2, "EchoExtProcService:TimerExtProcService", BOTH, 'the passed socket "TimerExtProcService" is named after no processor'),
        (2, "one", (), 'LISTEN_FDNAMES is "one": it must be a name for each of the 2 sockets'),
    ],
)
def test_what_cannot_work_is_told(own_launcher, count, names, arguments, error):
    server = start(own_launcher, [listening() for _ in range(count)], *arguments, names=names)
    assert server.wait() == 1
    assert error in server.log()


def test_what_is_no_listening_socket(own_launcher):
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    idle = socket.socket(socket.AF_INET)
    for made, reason in ((datagram, "is not a stream socket"), (idle, "does not listen")):
        server = start(own_launcher, [made], names="web")
        assert server.wait() == 1
        assert f'extproc: the passed descriptor 3 ("web") {reason}' in server.log()


def test_tls_and_both_kinds(own_launcher, folder, server_pair):
    tcp, local = listening(), listening(str(folder / "s"), socket.AF_UNIX)
    server = start(own_launcher, [tcp, local], "--tls-cert", server_pair.certificate, "--tls-key", server_pair.key)
    assert server.wait() == 1
    assert "with TLS the sockets that are handed to one service must be all of TCP" in server.log()


def test_tls_over_a_passed_socket(own_launcher, authority, server_pair):
    listener = listening()
    start(own_launcher, [listener], "--tls-cert", server_pair.certificate, "--tls-key", server_pair.key)
    root = Path(authority.certificate).read_bytes()
    with grpc.secure_channel(f"127.0.0.1:{port_of(listener)}", grpc.ssl_channel_credentials(root)) as open_channel:
        grpc.channel_ready_future(open_channel).result(timeout=20)
