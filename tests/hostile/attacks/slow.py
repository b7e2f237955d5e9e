"""Peers that are slow, or do nothing: each ends by a limit of time, and a connection that is idle gives way to one that is not."""

import contextlib
import time

from lib import wire
from lib.attack import MIB, Ended, Run, attack
from lib.peer import Peer
from lib.program import command_knows
from lib.server import Server

# Seconds to which the limits are lowered, and how long what they limit may then take.
LIMIT = 1
SOON = 10.0
# Limits of time: passed where the command has the flag.
FLAGS = ("--frame-timeout", "--incomplete-message-timeout", "--unread-timeout")


def serve(run: Run, **limits: int) -> Server:
    flags = [part for flag in FLAGS if command_knows(flag) for part in (flag, LIMIT)]
    return run.serve("Prompt", *flags, **limits)


def wait_for_end(peer: Peer) -> None:
    with contextlib.suppress(Ended):
        peer.until(lambda: False, SOON)


def drip(run: Run, server: Server, peer: Peer, what: str, text: bytes, piece: int = 1) -> None:
    """A piece five times a second, until the server ends it, or the time is over."""
    end = time.monotonic() + SOON

    def stream_ended() -> bool:
        return any(stream.ended for stream in peer.streams.values())

    with contextlib.suppress(Ended):
        for at in range(0, len(text), piece):
            if peer.ended() or stream_ended() or time.monotonic() > end:
                break
            peer.send(text[at : at + piece])
            time.sleep(0.2)
    ended = peer.until(stream_ended, max(0, end - time.monotonic()))
    run.check(f"{what} is ended", ended or peer.ended())
    run.check(f"others are served beside {what}", server.answers())


@attack()
def handshake(run: Run) -> None:
    """Connections that say nothing, or their preface a byte at a time"""
    server = serve(run, handshake_timeout=LIMIT * 1000)
    silent = run.connect(server, hello=False)
    drip(run, server, run.connect(server, hello=False), "a slow preface", wire.PREFACE + wire.settings())
    wait_for_end(silent)
    run.check("one that says nothing is ended", silent.ended())
    run.is_over(server)


@attack()
def header_block(run: Run) -> None:
    """A header block that is never ended"""
    server = serve(run)
    peer = run.connect(server)
    peer.next_stream()
    peer.send(wire.frame(wire.HEADERS, 0, 1, wire.FIRST_BLOCK))
    wait_for_end(peer)
    run.check("a header block that is never ended is ended", peer.ended())
    run.is_over(server)


@attack()
def frame(run: Run) -> None:
    """A frame of HEADERS a byte at a time"""
    server = serve(run)
    peer = run.connect(server)
    drip(run, server, peer, "a slow frame", peer.head(peer.next_stream()))
    run.is_over(server)


@attack()
def message(run: Run) -> None:
    """A message in frames of one byte, five of them in a second"""
    server = serve(run)
    peer = run.connect(server)
    stream = peer.open()
    text = b"".join(wire.frame(wire.DATA, 0, stream, bytes([byte])) for byte in wire.request(b"/", (b"x", b"v" * 100)))
    drip(run, server, peer, "a slow message", text, piece=10)
    run.is_over(server)


@attack()
def reader_of_nothing(run: Run) -> None:
    """A peer that reads nothing of 40 MiB"""
    server = serve(run)
    peer = run.connect(server, reads=False, receive_buffer=4096)
    for _ in range(10):
        peer.open(wire.request(b"/big"))
    end = time.monotonic() + SOON
    while not peer.ended() and time.monotonic() < end:
        time.sleep(0.1)
    run.check("one that reads nothing is ended", peer.ended())
    run.is_over(server)


@attack()
def slow_reader(run: Run) -> None:
    """A peer that reads 4 MiB slowly, but does, and is not ended"""
    server = serve(run)
    peer = run.connect(server, reads=False, receive_buffer=MIB // 4)
    peer.open(wire.request(b"/big"))
    got = 0
    while got < 4 * MIB and (piece := peer.take(MIB // 8)):
        got += piece
        time.sleep(0.05)
    run.check("one that reads slowly is not ended", not peer.ended())
    run.at_least("bytes that it has got", got, 4 * MIB)
    run.is_over(server)


@attack()
def idle(run: Run) -> None:
    """A connection without streams, and one that answers no pings either"""
    server = serve(run, idle_timeout=LIMIT * 1000)
    peers = {"an idle connection": run.connect(server)}
    # Which takes longer.
    if run.full:
        peers["one that answers no ping"] = run.connect(server, answers_pings=False)
    for what, peer in peers.items():
        wait_for_end(peer)
        run.check(f"{what} is ended", peer.ended())
    run.is_over(server)


@attack()
def connections_run_out(run: Run) -> None:
    """All connections that a server takes, idle: one gives way to the next peer, and one in use does not"""
    limit = 32
    server = run.serve("Waits", connections=limit)
    server.eventually("connections_open", 0)
    used = run.connect(server)
    waiting = used.open(wire.request(b"/wait"))
    for _ in range(limit - 1):
        run.connect(server)
    # Room may have been made before it is asked for.
    run.at_least("connections that are open", server.eventually("connections_open", limit, timeout=1), limit - 1)
    run.equal("good requests that are answered then", sum(server.answers(patience=2) for _ in range(3)), 3)
    run.check("the connection in use stays", not used.closed and not used.streams[waiting].ended)
    run.is_over(server)


@attack()
def connections_that_say_nothing(run: Run) -> None:
    """More connections than a server takes, none of which says anything"""
    server = run.serve("Prompt", connections=100, handshake_timeout=LIMIT * 1000)
    for _ in range(300):
        run.connect(server, hello=False, keeps=False)
    run.equal("connections open after the time for a handshake", server.eventually("connections_open", 0), 0)
    run.is_over(server)
