"""Messages in an order that no HTTP request has: the stream ends with INTERNAL, and is counted; others are served."""

from lib import wire
from lib.attack import Run, attack

INTERNAL = "13"

HEADERS = {side: wire.headers(kind, (b":path", b"/")) for side, kind in (("request", 2), ("response", 3))}
WHOLE = {side: wire.headers(kind, (b":path", b"/"), end=True) for side, kind in (("request", 2), ("response", 3))}
CHUNK = {side: wire.body(kind, b"b") for side, kind in (("request", 4), ("response", 5))}
LAST = {side: wire.body(kind, b"b", end=True) for side, kind in (("request", 4), ("response", 5))}
TRAILERS = {side: wire.trailers(kind, (b"t", b"1")) for side, kind in (("request", 6), ("response", 7))}
ATTRIBUTES = wire.attributes(b"a", b"v")

# What is sent of one direction; the last message is one too many.
REFUSED = {
    "headers twice": (HEADERS, HEADERS),
    "headers behind a body": (HEADERS, CHUNK, HEADERS),
    "headers behind trailers": (HEADERS, CHUNK, TRAILERS, HEADERS),
    "a body behind headers that end the message": (WHOLE, CHUNK),
    "a body behind its end": (HEADERS, LAST, CHUNK),
    "a body behind its trailers": (HEADERS, CHUNK, TRAILERS, CHUNK),
    "trailers twice": (HEADERS, CHUNK, TRAILERS, TRAILERS),
    "trailers twice without a body": (HEADERS, TRAILERS, TRAILERS),
}


def messages(*parts: bytes) -> bytes:
    """Both bodies STREAMED, as the first message says."""
    first = parts[0] + wire.modes(wire.STREAMED, wire.STREAMED)
    return b"".join(wire.grpc(part) for part in (first, *parts[1:]))


def refused(run: Run, processor: str, side: str) -> None:
    server = run.serve(processor)
    for what, parts in REFUSED.items():
        before = server.stats()["malformed_messages"]
        peer = run.connect(server)
        stream = peer.open(messages(*(part[side] for part in parts)))
        run.equal(f"{side}: {what}: status", peer.status(stream, 2), INTERNAL)
        run.equal(f"{side}: {what}: counted", server.stats()["malformed_messages"] - before, 1)
        run.check(f"{side}: {what}: the connection stays", not peer.closed)
    run.is_over(server)


@attack()
def of_a_request(run: Run) -> None:
    """Messages of a request in a wrong order, at handlers that return at once"""
    refused(run, "Prompt", "request")


@attack()
def of_a_response(run: Run) -> None:
    """Messages of a response in a wrong order, at handlers that return at once"""
    refused(run, "Prompt", "response")


@attack()
def of_a_body_handler(run: Run) -> None:
    """Messages of a request in a wrong order, at a handler over the body"""
    refused(run, "Bodies", "request")


@attack()
def right_ones(run: Run) -> None:
    """Orders that are rare and right, which are served"""
    server = run.serve("Prompt")
    request, response = "request", "response"
    served = {
        "a response beside a request whose body goes on": (HEADERS[request], CHUNK[request], HEADERS[response], LAST[request]),
        "a whole response before the request's trailers": (
            *(HEADERS[request], CHUNK[request], HEADERS[response], CHUNK[response], TRAILERS[response]),
            TRAILERS[request],
        ),
        "a response without a request": (HEADERS[response], CHUNK[response], TRAILERS[response]),
        "trailers without a body": (HEADERS[request], TRAILERS[request]),
        "a body that ends with an empty chunk": (HEADERS[request], CHUNK[request], wire.body(wire.REQUEST_BODY, b"", end=True)),
    }
    for what, parts in served.items():
        peer = run.connect(server)
        stream = peer.open(messages(*parts))
        run.check(f"{what}: answered", peer.answered(stream, len(parts), 5))
    run.equal("malformed messages", server.stats()["malformed_messages"], 0)
    run.is_over(server)
