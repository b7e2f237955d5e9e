"""What a peer can make the server hold: each attack piles up several times what the process may hold, in another place.

The connection that holds most is to go, one that holds little to stay, others to be served, and nothing to be kept afterwards.
"""

import contextlib
import time
from collections.abc import Callable, Iterator

from lib import wire
from lib.attack import MEMORY_SLACK, MIB, Ended, Run, attack, mib
from lib.peer import Peer
from lib.server import MEMORY_COUNTER, Server

MESSAGE = 15 * MIB
# How many times what may be held is piled up.
TIMES = 3.5
# An attack that has broken its threshold by so much goes no further.
ENOUGH = 192 * MIB
KEPT_FOR_A_CONNECTION = 8 * 1024
# What a chunk of no bytes, or one, takes that waits: more than 16 bytes.
WAITING_CHUNK = 40

Connect = Callable[..., Peer]
# Yields after each step.
Pile = Callable[[Connect, int], Iterator[None]]


def pile_up(run: Run, processor: str, pile: Pile, small: bytes | None = None, pause: float = 0.0) -> None:
    """`pile` is given a way to connect, and how many bytes to pile up. `small`: what opens a stream that holds little."""
    limit = run.size(256, 64) * MIB
    wanted = int(TIMES * limit)
    server = run.serve(processor, memory=limit)
    peers: list[Peer] = []

    def connect(*pairs, **options) -> Peer:
        peers.append(run.connect(server, *pairs, **options))
        return peers[-1]

    # 16 KB, which it leaves there.
    small_one = run.connect(server)
    stream = small_one.open(small or wire.request(end=False) + b"\0\0\1\0\0" + b"x" * 16_384)
    with run.beside_good_clients(server):
        with contextlib.suppress(Ended):
            for _ in pile(connect, wanted):
                if server.resident() > limit + MEMORY_SLACK + ENOUGH:
                    break
        time.sleep(run.size(1.0, 0.2) + pause)
        # The connection that is over the limit goes a moment after it is.
        counted = server.falls_to(MEMORY_COUNTER, limit)
    run.note(f"{sum(peer.sent for peer in peers) / MIB:.1f} MiB sent on {len(peers)} connections; limit {mib(limit)}")
    run.memory_at_most("resident at most", server.peak(), limit + MEMORY_SLACK)
    if counted is None:
        run.check("counted memory", False, "the server does not tell it")
    else:
        run.check("counted memory", counted <= limit, f"{counted} bytes, at most {limit}")
    run.check("a connection that holds little stays", not small_one.closed and not small_one.streams[stream].ended)
    run.disconnect()
    if counted is not None:
        run.equal("counted memory afterwards", server.eventually(MEMORY_COUNTER, 0), 0)
    run.is_over(server)


def on_many_streams(content: bytes, first: bytes = b"", held: int = 0) -> Pile:
    """`content` on each of many streams of one connection, behind `first`. `held`: how many bytes the server holds of it, where that is
    not what is sent."""

    def pile(connect: Connect, wanted: int) -> Iterator[None]:
        peer = connect()
        for _ in range(max(2, wanted // (held or len(content)))):
            peer.upload(peer.open(first), content)
            yield

    return pile


@attack()
def attributes(run: Run) -> None:
    """Attributes without end on one stream, in messages of 1 MiB that have no phase"""
    message = wire.grpc(wire.attributes(b"name", b"v" * MIB))

    def pile(connect: Connect, wanted: int) -> Iterator[None]:
        peer = connect()
        stream = peer.open()
        for _ in range(wanted // len(message)):
            peer.upload(stream, message)
            yield

    pile_up(run, "Prompt", pile)


@attack()
def metadata(run: Run) -> None:
    """Metadata of 4 MiB on each of many streams"""
    message = wire.grpc(wire.metadata(b"m" * (4 * MIB)))
    pile_up(run, "Prompt", on_many_streams(message))


@attack()
def call_headers(run: Run) -> None:
    """HPACK as a lever: 40 bytes that are 60 KB of headers of a call, on streams that then wait"""
    size = 3_500
    times = 17
    first = wire.FIRST_BLOCK + wire.literal(b"x", b"v" * size, added=True)

    def block(number: int) -> bytes:
        # The literal makes each list another one.
        return (
            wire.POST_HTTP
            + b"".join(wire.indexed(index) for index in (65, 64, 63))
            + wire.indexed(62) * times
            + wire.literal(b"y", b"%06d" % number)
        )

    def pile(connect: Connect, wanted: int) -> Iterator[None]:
        streams = 750
        for _ in range(wanted // (streams * size * times) + 1):
            peer = connect()
            blocks = [first, *(block(number) for number in range(1, streams))]
            peer.send(b"".join(wire.frame(wire.HEADERS, wire.END_HEADERS, 2 * at + 1, block) for at, block in enumerate(blocks)))
            time.sleep(0.1)
            yield

    pile_up(run, "Prompt", pile, pause=1.0)


@attack()
def empty_headers(run: Run) -> None:
    """Messages of empty header entries, 2 bytes each, at handlers that wait"""
    entries = b"\x0a\x00" * (MESSAGE // 2 - 100)
    message = wire.grpc(wire.field(wire.REQUEST_HEADERS, wire.field(1, wire.header(b":path", b"/wait") + entries)))
    # Each entry of the message becomes one of 32 bytes.
    pile_up(run, "Waits", on_many_streams(message, held=len(message) * 16))


@attack()
def waiting_messages(run: Run) -> None:
    """Handlers that wait, each with a message of 15 MiB"""
    message = wire.request(b"/wait", (b"x", b"v" * MESSAGE))
    pile_up(run, "Waits", on_many_streams(message), small=wire.request(b"/wait"))


@attack()
def unread_bodies(run: Run) -> None:
    """Chunks of 15 MiB that a handler over the body does not read"""
    message = wire.upload(b"/hold", wire.STREAMED) + wire.grpc(wire.body(wire.REQUEST_BODY, b"b" * MESSAGE))
    pile_up(run, "Bodies", on_many_streams(message), small=wire.upload(b"/hold", wire.STREAMED))


@attack()
def empty_chunks(run: Run) -> None:
    """Chunks of no bytes, 7 on the wire, that a handler over the body does not read, on many streams"""
    chunk = wire.grpc(wire.body(wire.REQUEST_BODY, b""))
    # Within a stream's window, so that a server that holds back a stream's credit is not told so.
    count = 900_000 // len(chunk)
    first = wire.upload(b"/hold", wire.STREAMED)
    pile = on_many_streams(chunk * count, first + wire.grpc(wire.body(wire.REQUEST_BODY, b"x")), held=count * WAITING_CHUNK)
    pile_up(run, "Bodies", pile, small=first)


@attack()
def held_trailers(run: Run) -> None:
    """Trailers of 15 MiB behind a body whose handler waits"""
    message = wire.upload(b"/hold", wire.STREAMED) + wire.grpc(wire.body(wire.REQUEST_BODY, b"b"))
    message += wire.grpc(wire.trailers(wire.REQUEST_TRAILERS, (b"x", b"t" * MESSAGE)))
    pile_up(run, "Bodies", on_many_streams(message), small=wire.upload(b"/hold", wire.STREAMED))


@attack()
def held_answers(run: Run) -> None:
    """Answers held for the client's flow control, whose window stays shut: 15 MiB a stream"""
    windows = wire.field(wire.CLIENT_WINDOWS, wire.field(1, 1 << 30) + wire.field(3, 1 << 30))
    start = wire.upload(b"/", wire.FULL_DUPLEX_STREAMED, windows)
    chunks = wire.grpc(wire.body(wire.REQUEST_BODY, b"b" * 16_000)) * (MESSAGE // 16_000)
    pile_up(run, "Bodies", on_many_streams(chunks, start), small=start)


@attack()
def tiny_held_answers(run: Run) -> None:
    """The same with chunks of one byte, each of which is held with what it takes by itself"""
    windows = wire.field(wire.CLIENT_WINDOWS, wire.field(1, 1 << 30) + wire.field(3, 1 << 30))
    start = wire.upload(b"/", wire.FULL_DUPLEX_STREAMED, windows)
    chunk = wire.grpc(wire.body(wire.REQUEST_BODY, b"b"))
    count = 400_000 // len(chunk)
    pile_up(run, "Bodies", on_many_streams(chunk * count, start, held=count * WAITING_CHUNK), small=start)


@attack()
def incomplete_messages(run: Run) -> None:
    """Messages of 16 MiB that end one MiB before they are whole"""
    start = b"\0" + (16 * MIB).to_bytes(4, "big") + b"x" * MESSAGE
    pile_up(run, "Prompt", on_many_streams(start))


def not_reading(connect: Connect) -> Peer:
    return connect(reads=False, receive_buffer=4096, timeout=3.0)


@attack()
def big_answers(run: Run) -> None:
    """Answers of 4 MiB to requests of 80 bytes, on connections that do not read"""
    message = wire.request(b"/big")

    def pile(connect: Connect, wanted: int) -> Iterator[None]:
        streams = 50
        for _ in range(wanted // (streams * 4 * MIB) + 1):
            peer = not_reading(connect)
            for _ in range(streams):
                peer.open(message)
                yield

    pile_up(run, "Prompt", pile)


@attack()
def streamed_responses(run: Run) -> None:
    """Responses of 300 MiB, written piece by piece, on connections that do not read"""

    def pile(connect: Connect, wanted: int) -> Iterator[None]:
        for _ in range(wanted // (100 * MIB) + 1):
            not_reading(connect).open(wire.request(b"/pieces", more=wire.modes(0)))
            yield
        for _ in range(20):
            time.sleep(0.1)
            yield

    pile_up(run, "Waits", pile)


@attack()
def patient_responses(run: Run) -> None:
    """Responses of 300 MiB whose handlers wait for their peers, which do not read"""
    streams = run.size(40, 20)
    limit = 4 * streams * MIB
    message = wire.request(b"/pieces?patient", more=wire.modes(0))
    server = run.serve("Waits", memory=limit)
    with run.beside_good_clients(server):
        for _ in range(streams):
            run.connect(server, reads=False, receive_buffer=4096, timeout=3.0).open(message)
        run.equal("streams open", server.eventually("streams_open", streams), streams)
        time.sleep(run.size(1.0, 0.5))
        stats = server.stats()
    run.at_most("counted memory", stats[MEMORY_COUNTER] / MIB, limit / MIB, " MiB")
    run.equal("streams over a limit", stats["streams_over_limit"], 0)
    run.equal("connections shed", stats["connections_shed"], 0)
    run.is_over(server)


@attack(short=False)
def waves(run: Run) -> None:
    """Five waves of messages that wait, at one server"""
    server = run.serve("Waits", memory=256 * MIB)
    message = wire.request(b"/wait", (b"x", b"v" * MESSAGE))
    for _ in range(5):
        with run.connect(server) as peer:
            for _ in range(10):
                peer.upload(peer.open(), message)
        run.equal("streams open after a wave", server.eventually("streams_open", 0), 0)
    run.is_over(server)


def idle_connections(run: Run, server: Server, count: int, slack: int, *uses: Callable[[Peer], None]) -> None:
    """What connections keep that have been used, all of them in one way and then in the next, and are idle; `slack`: what the server
    keeps in all."""
    peers = [run.connect(server, reads=False, receive_buffer=1 << 16) for _ in range(count)]
    time.sleep(0.2)
    before = server.resident()
    for use in uses:
        for peer in peers:
            use(peer)
        server.quiet(10)
    most = count * KEPT_FOR_A_CONNECTION + slack
    what = f"kept for {count:,} idle connections, beyond what they took when new"
    run.memory_at_most(what, run.given_back(server, before + most) - before, most)


@attack()
def idle_after_a_split_frame(run: Run) -> None:
    """A frame of 16 KiB that came to each of many connections in two parts"""
    server = run.serve("Prompt")
    big = wire.frame(0x77, 0, 0, b"x" * wire.LARGEST_FRAME)

    def begin(peer: Peer) -> None:
        peer.send(big[:9000])

    def end(peer: Peer) -> None:
        peer.send(big[9000:])

    idle_connections(run, server, run.size(3_000, 1_000), 4 * MIB, begin, end)
    run.is_over(server)


@attack()
def idle_after_answers(run: Run) -> None:
    """Answers of 300 KB that waited on each of many connections, and have been read"""
    # More than all of them wait for at once.
    server = run.serve("Prompt", memory=2_048 * MIB)
    answers = 8

    def ask(peer: Peer) -> None:
        for _ in range(answers):
            peer.open(wire.request(b"/large"))

    def read(peer: Peer) -> None:
        left = answers * 300_000
        while left > 0 and (got := peer.take(1 << 18, 0.5)):
            left -= got
        peer.send(b"".join(wire.reset(stream) for stream in peer.streams))

    idle_connections(run, server, run.size(600, 150), 16 * MIB, ask, read)
    run.is_over(server)
