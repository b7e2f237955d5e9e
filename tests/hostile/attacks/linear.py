"""Nothing that a peer sends takes more than linear time, and none of it keeps other connections waiting.

The CPU of n and of 4 n is compared: 4 times as much where it is linear, 16 where it is quadratic.
"""

import statistics
from collections.abc import Callable

from lib import wire
from lib.attack import Run, attack
from lib.good import ask
from lib.peer import Peer
from lib.server import Server

FOURFOLD = 8.0
# Seconds of CPU below which no ratio is worth anything.
NOISE = 0.1
# Of a backlog: what may be read before another connection has its turn, its client's own time included.
CHUNKS_A_TURN = 20_000
# Milliseconds; one that is longer is in no p99 of a few hundred answers.
LONGEST_STALL = 250.0


def grows_linearly(run: Run, processor: str, send: Callable[[Server, int], None], count: int) -> None:
    """`send` attacks with that many of something, and returns when the server is done with them."""
    took = []
    for times in (1, 4):
        server = run.serve(processor)
        before = server.cpu()
        with run.beside_good_clients(server, f"{times * count:,}", longest=LONGEST_STALL):
            send(server, times * count)
        took.append(server.quiet() - before)
        run.is_over(server)
    run.note(f"{took[0]:.2f} s of CPU for {count:,}, {took[1]:.2f} s for {4 * count:,}, good clients included")
    run.at_most(f"CPU seconds for {4 * count:,}", took[1], FOURFOLD * took[0] + NOISE)


def send_all(peer: Peer, stream: int, message: bytes, count: int) -> None:
    """So many messages, as many to a frame as fit."""
    in_one = wire.LARGEST_FRAME // len(message)
    for at in range(0, count, in_one):
        peer.send(wire.data(stream, message * min(in_one, count - at)))


@attack()
def looked_up_attributes(run: Run) -> None:
    """Attributes with each of many messages on one stream, at a handler that looks one up"""
    message = wire.grpc(wire.body(wire.REQUEST_BODY, b"b") + wire.attributes(b"other", b"/"))

    def send(server: Server, count: int) -> None:
        peer = run.connect(server, keeps=False)
        # Each request looks the attribute up behind all that came before it.
        stream = peer.open(wire.upload(b"/", wire.STREAMED))
        with run.may_end():
            send_all(peer, stream, message, count)
        server.quiet()

    grows_linearly(run, "Prompt", send, run.size(8_000, 5_000))


@attack()
def repeated_requests(run: Run) -> None:
    """Request headers with attributes again and again on one stream, at a handler that looks an attribute up"""
    message = wire.request(end=False, more=wire.attributes(b"request.path", b"/"))

    def send(server: Server, count: int) -> None:
        peer = run.connect(server, keeps=False)
        stream = peer.open()
        with run.may_end():
            send_all(peer, stream, message, count)
        server.quiet()

    grows_linearly(run, "Prompt", send, run.size(6_000, 4_000))


@attack(seconds=90)
def held_trailers(run: Run) -> None:
    """Trailers again and again behind a body whose handler waits, which then goes on"""
    message = wire.grpc(wire.trailers(wire.REQUEST_TRAILERS))

    def send(server: Server, count: int) -> None:
        peer = run.connect(server)
        stream = peer.open(wire.upload(b"/hold", wire.STREAMED) + wire.grpc(wire.body(wire.REQUEST_BODY, b"b")))
        with run.may_end():
            send_all(peer, stream, message, count)
        server.quiet()
        with run.connect(server) as other:
            other.answered(other.open(wire.request(b"/release")), timeout=60)
        server.quiet()

    grows_linearly(run, "Bodies", send, run.size(12_000, 8_000))


@attack()
def chunks_of_a_byte(run: Run) -> None:
    """A body in chunks of one byte, copied by its handler"""
    message = wire.grpc(wire.body(wire.REQUEST_BODY, b"b"))

    def send(server: Server, count: int) -> None:
        peer = run.connect(server, keeps=False)
        stream = peer.open(wire.upload(b"/", wire.STREAMED))
        send_all(peer, stream, message, count)
        server.quiet()

    grows_linearly(run, "Bodies", send, run.size(200_000, 30_000))


@attack()
def message_of_frames_of_a_byte(run: Run) -> None:
    """A message in DATA frames of one byte"""

    def send(server: Server, count: int) -> None:
        peer = run.connect(server, keeps=False)
        stream = peer.next_stream()
        message = wire.request(b"/", (b"x", b"v" * count))
        peer.send(
            peer.head(stream) + b"".join(wire.frame(wire.DATA, 0, stream, message[at : at + 1]) for at in range(len(message)))
        )
        server.quiet()

    grows_linearly(run, "Prompt", send, run.size(1_000_000, 200_000))


@attack()
def struct_of_many_levels(run: Run) -> None:
    """Attributes that are lists in lists in lists"""

    def send(server: Server, count: int) -> None:
        # Value.list_value is a ListValue of Values. Each level has a length in front, so that the innermost is made first.
        parts: list[bytes] = []
        size = 0
        for _ in range(count):
            inner = b"\x0a" + wire.varint(size)
            outer = b"\x32" + wire.varint(size + len(inner))
            parts += (inner, outer)
            size += len(inner) + len(outer)
        value = b"".join(reversed(parts))
        entry = wire.field(1, b"request.path") + wire.field(2, value)
        peer = run.connect(server)
        message = wire.request(more=wire.field(wire.ATTRIBUTES, wire.field(1, b"f") + wire.field(2, wire.field(1, entry))))
        run.check(f"{count:,} levels are answered", peer.answered(peer.open(message)))

    grows_linearly(run, "Prompt", send, run.size(100_000, 25_000))


@attack()
def settings_of_many_streams(run: Run) -> None:
    """SETTINGS of 32 initial windows each, on a connection of 1,000 streams and on one of none"""
    one = wire.settings(*((wire.INITIAL_WINDOW_SIZE, 65_535 - at % 2) for at in range(32)))
    frames = run.size(40_000, 10_000)
    took = []
    for streams in (0, 1_000):
        server = run.serve("Prompt")
        peer = run.connect(server, acknowledge=False, keeps=False)
        peer.send(b"".join(peer.head(peer.next_stream()) for _ in range(streams)))
        before = server.quiet()
        with run.beside_good_clients(server, f"{frames:,} SETTINGS, {streams:,} streams"):
            with run.may_end():
                for _ in range(frames // 80):
                    peer.send(one * 80)
        took.append(server.quiet() - before)
        run.is_over(server)
    run.note(f"{took[0]:.2f} s of CPU without streams, {took[1]:.2f} s with them, good clients included")
    run.at_most("CPU seconds with streams", took[1], 4 * took[0] + NOISE)


@attack(seconds=90)
def backlog_of_chunks(run: Run) -> None:
    """Chunks of one byte that have piled up behind handlers which then read them all: others have their turns meanwhile"""
    server = run.serve("Bodies")
    # Within a stream's window.
    count = 100_000
    streams = run.size(16, 4)
    chunk = wire.grpc(wire.body(wire.REQUEST_BODY, b"b"))
    other = run.connect(server)
    stream = other.open(wire.upload(b"/", wire.STREAMED) + chunk)
    run.check("a chunk is answered", other.answered(stream, 2))
    each = 5 + len(other.streams[stream].messages[1])

    # What parsed the answers would be slower than the server.
    peer = run.connect(server, keeps=False)
    for stream in [peer.open(wire.upload(b"/hold", wire.STREAMED)) for _ in range(streams)]:
        send_all(peer, stream, chunk, count)
    server.quiet()
    with run.beside_good_clients(server, f"{streams * count:,} chunks", longest=LONGEST_STALL):
        run.check("the one who releases them is answered", other.answered(other.open(wire.request(b"/release"))))
        turns: list[int] = []
        while (before := peer.received) < streams * count * each and not peer.closed:
            ask(other, wire.request(), patience=30)
            turns.append((peer.received - before) // each)
    run.check("all chunks are answered", not peer.closed)
    # Of the turns in which any were: the median, since a client may be late by itself.
    between = [chunks for chunks in turns if chunks] or [streams * count]
    run.at_most("chunks answered while another request waits, median", statistics.median(between), CHUNKS_A_TURN)
    run.is_over(server)
