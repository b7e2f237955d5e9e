"""Floods of frames that are cheap to send: each ends, or costs no memory, and others are served."""

import time
from collections.abc import Callable

from lib import wire
from lib.attack import MIB, Ended, Run, attack
from lib.peer import Peer
from lib.server import Server

# What a flood may add to what is resident.
MOST_GROWTH = 24 * MIB


def flood(run: Run, frames: bytes, total: int, prepare: Callable[[Peer], None] | None = None, **options) -> tuple[Server, Peer]:
    """Sends that again and again on one connection; good clients beside it, no memory."""
    server = run.serve("Prompt")
    peer = run.connect(server, keeps=options.pop("keeps", True), **options)
    if prepare:
        prepare(peer)
    idle = server.resident()
    start = server.cpu()
    with run.beside_good_clients(server):
        try:
            while peer.sent < total:
                peer.send(frames)
        except Ended:
            pass
    run.note(f"{peer.sent / MIB:.1f} MiB sent, {server.cpu() - start:.2f} s of CPU")
    run.memory_at_most("growth of what is resident", server.peak() - idle, MOST_GROWTH)
    return server, peer


def taken(run: Run, frames: bytes, prepare: Callable[[Peer], None] | None = None, **options) -> None:
    server, _ = flood(run, frames, run.size(300, 20) * MIB, prepare, **options)
    run.is_over(server)


def calmed(run: Run, frames: bytes, prepare: Callable[[Peer], None] | None = None, **options) -> None:
    """The flood ends with the connection, before it is over."""
    total = run.size(300, 50) * MIB
    server, peer = flood(run, frames, total, prepare, **options)
    # The end is behind what one that does not read has been sent before.
    while peer.take(MIB):
        pass
    run.check("the connection is ended", peer.ended())
    run.is_over(server)


def one_stream(peer: Peer) -> None:
    peer.open(wire.request(end=False))


@attack()
def empty_data(run: Run) -> None:
    """Empty DATA frames on an open stream"""
    taken(run, wire.frame(wire.DATA, 0, 1) * 1_000, one_stream)


@attack()
def priorities(run: Run) -> None:
    """PRIORITY frames for an open stream"""
    taken(run, wire.frame(wire.PRIORITY, 0, 1, b"\0\0\0\0\x10") * 1_000, one_stream)


@attack()
def unknown_frames(run: Run) -> None:
    """Frames of a type that nobody knows"""
    taken(run, wire.frame(0x77, 0, 0, b"unknown") * 1_000)


@attack()
def acknowledgements(run: Run) -> None:
    """Acknowledgements of pings that nobody sent"""
    taken(run, wire.frame(wire.PING, wire.ACK, 0, b"12345678") * 1_000)


@attack()
def small_windows(run: Run) -> None:
    """Windows that grow by one byte at a time, of the connection and of a stream"""
    # The connection's window is as large as it may be.
    frames = wire.window_update(1, 1) * 1_000
    server, _ = flood(run, frames, run.size(100, 10) * MIB, one_stream)
    run.is_over(server)


@attack()
def unread_pings(run: Run) -> None:
    """Pings of a peer that does not read the answers"""
    calmed(run, wire.frame(wire.PING, 0, 0, b"12345678") * 1_000, reads=False, receive_buffer=4096, timeout=5.0)


@attack()
def unread_settings(run: Run) -> None:
    """SETTINGS of a peer that does not read the answers"""
    calmed(run, wire.settings((wire.MAX_FRAME_SIZE, wire.LARGEST_FRAME)) * 1_000, reads=False, receive_buffer=4096, timeout=5.0)


def open_block(peer: Peer) -> None:
    peer.send(wire.frame(wire.HEADERS, 0, peer.next_stream(), wire.FIRST_BLOCK))


@attack()
def continuations(run: Run) -> None:
    """A header block that goes on in CONTINUATION frames of 16 KiB"""
    block = wire.literal(b"x", b"v" * 3_000) * 5
    calmed(run, wire.frame(wire.CONTINUATION, 0, 1, block) * 10, open_block, reads=False)


@attack()
def empty_continuations(run: Run) -> None:
    """A header block that goes on in empty CONTINUATION frames"""
    server, _ = flood(run, wire.frame(wire.CONTINUATION, 0, 1) * 1_000, run.size(300, 20) * MIB, open_block)
    run.is_over(server)


@attack()
def header_bomb(run: Run) -> None:
    """Header blocks of 16 KiB that are 57 MB of headers, by the table"""
    first = wire.FIRST_BLOCK + wire.literal(b"x", b"v" * 3_500, added=True)
    server = run.serve("Prompt")
    idle = server.resident()
    peer = run.connect(server)
    count = run.size(2_000, 100)
    with run.beside_good_clients(server):
        peer.next_stream()
        peer.send(wire.frame(wire.HEADERS, wire.END_HEADERS, 1, first))
        for _ in range(count):
            peer.send(wire.frame(wire.HEADERS, wire.END_HEADERS, peer.next_stream(), wire.indexed(62) * 16_000))
    run.check("each is refused, or its connection is ended", peer.until(lambda: peer.streams[2 * count + 1].ended) or peer.ended())
    run.memory_at_most("growth of what is resident", server.peak() - idle, MOST_GROWTH)
    run.is_over(server)


def rapid_resets(run: Run, processor: str, path: bytes, spoil: Callable[[int], bytes], **limits: int) -> tuple[Server, Peer, int]:
    """Streams that are spoilt in the same breath, until the server has enough."""
    server = run.serve(processor, **limits)
    idle = server.resident()
    peer = run.connect(server)
    message = wire.request(path)
    count = run.size(170_000, 20_000)
    sent = 0
    with run.beside_good_clients(server):
        try:
            while sent < count:
                parts = []
                for _ in range(500):
                    stream = peer.next_stream()
                    parts.append(peer.head(stream) + wire.data(stream, message) + spoil(stream))
                    del peer.streams[stream]
                peer.send(b"".join(parts))
                sent += 500
        except Ended:
            pass
        peer.until(lambda: False, 0.5)
    run.note(f"{sent:,} streams; GOAWAY: {peer.goaway}")
    run.memory_at_most("growth of what is resident", server.peak() - idle, MOST_GROWTH)
    return server, peer, sent


@attack()
def resets(run: Run) -> None:
    """Rapid reset of streams that have their answers"""
    server, peer, _ = rapid_resets(run, "Prompt", b"/", wire.reset)
    run.check("the connection stays", not peer.ended())
    run.is_over(server)


@attack()
def resets_of_waiting(run: Run) -> None:
    """Rapid reset of streams that wait for an answer: ENHANCE_YOUR_CALM above the limit"""
    limit = 2_000
    server, peer, _ = rapid_resets(run, "Waits", b"/wait", wire.reset, owed_resets_burst=limit, owed_resets_per_second=100)
    run.equal("GOAWAY", peer.goaway, wire.ENHANCE_YOUR_CALM)
    # Each read may bring some hundreds more than were counted.
    run.at_most("streams that were started", server.stats()["streams_started"], run.size(20_000, 12_000))
    run.is_over(server)


@attack()
def resets_by_the_server(run: Run) -> None:
    """Streams that the server has to reset itself, for a window that grows by nothing: the same limit"""
    limit = 2_000
    server, peer, _ = rapid_resets(
        run, "Waits", b"/wait", lambda stream: wire.window_update(stream, 0), owed_resets_burst=limit, owed_resets_per_second=100
    )
    run.check("the connection is ended", peer.ended())
    run.is_over(server)


@attack()
def churn(run: Run) -> None:
    """Connections that are opened and closed as fast as they go"""
    server = run.serve("Prompt")
    idle = server.resident()
    count = run.size(10_000, 1_000)
    with run.beside_good_clients(server):
        for at in range(count):
            peer = Peer(server.port, reads=False)
            peer.close(abort=at % 2 == 0)
    run.memory_at_most("growth of what is resident", server.peak() - idle, MOST_GROWTH)
    run.is_over(server)


@attack()
def many_streams(run: Run) -> None:
    """As many open streams as connections allow, on many connections"""
    server = run.serve("Waits")
    idle = server.resident()
    connections, streams = run.size(50, 5), 800
    with run.beside_good_clients(server):
        peers = [run.connect(server, keeps=False) for _ in range(connections)]
        for peer in peers:
            peer.send(b"".join(peer.head(peer.next_stream()) for _ in range(streams)))
        time.sleep(0.5)
    opened = server.stats()["streams_open"]
    run.at_least("streams that are open", opened, connections * streams)
    if not run.sanitized:
        run.at_most("resident for each", (server.resident() - idle) / opened, 4_096, " bytes")
    run.is_over(server)


# What ends a connection, or a stream, by RFC 9113: the frames behind an open stream 1, and the code of GOAWAY or RST_STREAM.
WRONG: dict[str, tuple[bytes, int]] = {
    "a window of the connection that grows by nothing": (wire.window_update(0, 0), wire.PROTOCOL_ERROR),
    "a window of a stream that grows by nothing": (wire.window_update(1, 0), wire.PROTOCOL_ERROR),
    "a window of the connection that is too large": (wire.window_update(0, wire.LARGEST_WINDOW), wire.FLOW_CONTROL_ERROR),
    "a window of a stream that is too large": (wire.window_update(1, wire.LARGEST_WINDOW), wire.FLOW_CONTROL_ERROR),
    "initial windows that are too large": (wire.settings((wire.INITIAL_WINDOW_SIZE, 1 << 31)), wire.FLOW_CONTROL_ERROR),
    "frames that may be too large": (wire.settings((wire.MAX_FRAME_SIZE, 1 << 24)), wire.PROTOCOL_ERROR),
    "a frame that is too large": (wire.frame(wire.DATA, 0, 1, b"x" * (wire.LARGEST_FRAME + 1)), wire.FRAME_SIZE_ERROR),
    "padding of more than there is": (wire.frame(wire.DATA, 8, 1, b"\x05abc"), wire.PROTOCOL_ERROR),
    "a stream of an even number": (wire.frame(wire.HEADERS, wire.END_HEADERS, 2, wire.NEXT_BLOCK), wire.PROTOCOL_ERROR),
    "a promise": (wire.frame(wire.PUSH_PROMISE, wire.END_HEADERS, 1, b"\0\0\0\2"), wire.PROTOCOL_ERROR),
    "DATA on the connection": (wire.frame(wire.DATA, 0, 0, b"x"), wire.PROTOCOL_ERROR),
    "DATA of a stream that never was": (wire.frame(wire.DATA, 0, 99, b"x"), wire.PROTOCOL_ERROR),
    "an entry that the table does not have": (
        wire.frame(wire.HEADERS, wire.END_HEADERS, 3, b"\xff\xff\xff\x7f"),
        wire.COMPRESSION_ERROR,
    ),
    "a CONTINUATION of nothing": (wire.frame(wire.CONTINUATION, wire.END_HEADERS, 1, b""), wire.PROTOCOL_ERROR),
}


@attack()
def wrong_frames(run: Run) -> None:
    """Frames that RFC 9113 forbids: each ends its connection or stream with the right code"""
    server = run.serve("Waits")
    for what, (frames, code) in WRONG.items():
        peer = run.connect(server)
        stream = peer.open(wire.request(b"/wait"))
        peer.send(frames)
        peer.until(lambda peer=peer, stream=stream: peer.goaway is not None or peer.streams[stream].ended, 5)
        found = peer.goaway if peer.goaway is not None else peer.streams[stream].reset
        run.equal(what, found, code)
    run.is_over(server)


# First bytes of a call's body, and the gRPC status that it ends with.
WRONG_MESSAGES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "compressed": (wire.grpc(b"x", compressed=1), ("12", "13")),
    "a flag that nobody knows": (wire.grpc(b"x", compressed=2), ("12", "13")),
    "a length of 4 GiB": (b"\0\xff\xff\xff\xff", ("8",)),
    "a length of 16 MiB and 1": (b"\0" + (16 * MIB + 1).to_bytes(4, "big"), ("8",)),
    "no protobuf": (wire.grpc(b"\xff"), ("13",)),
}


@attack()
def wrong_messages(run: Run) -> None:
    """Messages that are too large, compressed, or none: a status each"""
    server = run.serve("Prompt")
    for what, (message, statuses) in WRONG_MESSAGES.items():
        peer = run.connect(server)
        status = peer.status(peer.open(message), 5)
        run.check(f"{what}: gRPC status", status in statuses, f"{status}, one of {', '.join(statuses)}")
    run.is_over(server)
