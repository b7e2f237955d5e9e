"""Signals at any moment: SIGTERM ends the server within its grace period, whatever it is doing; a second one at once."""

import signal
import time
from collections.abc import Callable

from attacks.blocking import dead_requests
from lib import wire
from lib.attack import Ended, Run, attack
from lib.peer import Peer
from lib.server import Command

GRACE = 0.5
# What the end may take beyond the grace period, in milliseconds.
SLACK = 1000.0
# A server that is still there then never ends.
NEVER = 15.0


def ends(run: Run, server: Command, what: str, status: int = 0, most: float = GRACE * 1000 + SLACK) -> None:
    start = time.monotonic()
    server.signal(signal.SIGTERM)
    run.equal(f"{what}: exit status", server.ends(NEVER), status)
    run.time_at_most(f"{what}: it ends", (time.monotonic() - start) * 1000, most)


def within_preface(peer: Peer) -> None:
    peer.send(wire.PREFACE[:10])


def within_header_block(peer: Peer) -> None:
    peer.next_stream()
    peer.send(wire.frame(wire.HEADERS, 0, 1, wire.FIRST_BLOCK))


def within_frame(peer: Peer) -> None:
    stream = peer.open()
    peer.send(wire.data(stream, wire.request())[:12])


def within_message(peer: Peer) -> None:
    peer.open(wire.request()[:10])


def with_full_socket(peer: Peer) -> None:
    for _ in range(20):
        peer.open(wire.request(b"/big"))


def with_open_streams(peer: Peer) -> None:
    for _ in range(700):
        peer.open(wire.request(end=False))


MOMENTS: dict[str, tuple[Callable[[Peer], None], dict]] = {
    "within a preface": (within_preface, {"hello": False}),
    "within a header block": (within_header_block, {}),
    "within a frame": (within_frame, {}),
    "within a message": (within_message, {}),
    "with open streams": (with_open_streams, {}),
    "with a full socket": (with_full_socket, {"reads": False, "receive_buffer": 4096}),
}


@attack()
def at_moments(run: Run) -> None:
    """SIGTERM within a preface, a header block, a frame, a message, with open streams and a full socket"""
    for what, (prepare, options) in MOMENTS.items():
        server = run.command("Prompt", "--grace-period", GRACE)
        prepare(run.connect(server, **options))
        time.sleep(0.1)
        ends(run, server, what)


@attack()
def beside_new_streams(run: Run) -> None:
    """SIGTERM while new streams, and new connections, come all the while"""
    server = run.command("Prompt", "--grace-period", GRACE)
    peer = run.connect(server, keeps=False)
    message = wire.request()
    start = time.monotonic()
    server.signal(signal.SIGTERM)
    while server.exit_code() is None and time.monotonic() < start + NEVER:
        try:
            peer.open(message)
        except Ended:
            try:
                peer = run.connect(server, keeps=False)
            except (OSError, Ended):
                time.sleep(0.01)
    run.equal("exit status", server.ends(0.1), 0)
    run.time_at_most("it ends", (time.monotonic() - start) * 1000, GRACE * 1000 + SLACK)


@attack()
def with_handlers(run: Run) -> None:
    """SIGTERM while handlers wait, hold bodies, and block"""
    server = run.command("Waits", "--grace-period", GRACE)
    peer = run.connect(server)
    for _ in range(100):
        peer.open(wire.request(b"/wait"))
    time.sleep(0.1)
    ends(run, server, "handlers that wait")

    server = run.command("Bodies", "--grace-period", GRACE)
    peer = run.connect(server)
    for _ in range(100):
        peer.open(wire.upload(b"/hold", wire.STREAMED) + wire.grpc(wire.body(wire.REQUEST_BODY, b"b" * 1000)))
    time.sleep(0.1)
    ends(run, server, "bodies that are held")

    for processor in ("Blocks", "Offloads"):
        server = run.command(processor, "--grace-period", GRACE)
        peer = run.connect(server, keeps=False)
        for _ in range(700):
            peer.open(wire.request(b"/block"))
        dead_requests(peer, 100)
        time.sleep(0.1)
        ends(run, server, f"{processor}: jobs that run and wait")


@attack()
def twice(run: Run) -> None:
    """SIGTERM twice, with a long grace period and handlers that wait: the second ends it at once"""
    server = run.command("Waits", "--grace-period", 60, "-l")
    peer = run.connect(server)
    peer.open(wire.request(b"/wait"))
    time.sleep(0.1)
    server.signal(signal.SIGTERM)
    end = time.monotonic() + 10
    while "shutting down" not in server.log() and time.monotonic() < end:
        time.sleep(0.01)
    ends(run, server, "twice", 128 + signal.SIGTERM, SLACK)


@attack()
def that_end_nothing(run: Run) -> None:
    """SIGHUP, SIGUSR1, SIGUSR2 and SIGPIPE end neither the process nor a stream"""
    server = run.command("Waits", "--grace-period", GRACE)
    peer = run.connect(server)
    stream = peer.open(wire.request(b"/wait"))
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        for _ in range(5):
            server.signal(number)
            time.sleep(0.02)
        run.equal(f"exit status after {number.name}", server.exit_code(), None)
        if server.exit_code() is not None:
            server = run.command("Waits", "--grace-period", GRACE)
            peer = run.connect(server)
            stream = peer.open(wire.request(b"/wait"))
            time.sleep(0.1)
    run.check("a stream goes on", not peer.closed and not peer.streams[stream].ended)
    run.check("a good request is answered", server.answers())
    ends(run, server, "afterwards")
