"""Handlers over a whole body: one processor, every body mode, both directions, with and without trailers."""

import asyncio

import pytest

from harness import http
from harness.envoy_config import Cluster, Mode
from harness.http import Connection
from harness.processes import eventually
from harness.stage import Site, Stage
from harness.test_server import TestServer

BODY_MODES = ("BUFFERED", "BUFFERED_PARTIAL", "STREAMED", "FULL_DUPLEX_STREAMED")
DIRECTIONS = ("request", "response")
CHUNKS = [b"One,", b"Two and ", b"Three; ", b"four", b"."]
BODY = b"".join(CHUNKS)
SIZES = {"chunks": CHUNKS, "one": [b"x"], "large": [bytes(range(97, 123)) * 400] * 20}


def whole_mode(body: str, trailers: str = "SEND") -> Mode:
    return Mode(request_body=body, response_body=body, request_trailer=trailers, response_trailer=trailers)


@pytest.fixture(scope="module")
def stage(launcher, raw_port, streaming_port) -> Stage:
    servers = {"Bodies": TestServer(launcher, "Bodies", message_timeout=10000)}
    one = ("Bodies",)
    sites = [Site(mode, one, whole_mode(mode)) for mode in BODY_MODES]
    sites += [Site(f"{mode}_no_trailers", one, whole_mode(mode, "SKIP")) for mode in BODY_MODES[:3]]
    sites.append(Site("small_buffer", one, whole_mode("BUFFERED_PARTIAL"), buffer_bytes=32 << 10))
    sites.append(Site("eager", one, whole_mode("STREAMED"), extra={"send_body_without_waiting_for_header_response": True}))
    sites.append(Site("mixed", one, Mode(request_body="FULL_DUPLEX_STREAMED", response_body="BUFFERED", request_trailer="SEND")))
    sites.append(Site("streaming", one, whole_mode("FULL_DUPLEX_STREAMED"), upstream="streaming"))
    streaming = Cluster("streaming", (streaming_port,), http2=False, trailers=True)
    return Stage(launcher, servers, sites, raw_port, clusters=(streaming,))


async def send(
    stage: Stage, site: str, direction: str, verb: str, chunks: list[bytes] = CHUNKS, trailers: bool = False
) -> http.Response:
    """A request whose body goes through the verb on its way up or down; the response's comes in chunks as well."""
    headers = [("x-reply-chunks", str(len(chunks))), ("x-do-bodies", f"{direction}_body {verb}")]
    if trailers:
        headers.append(("x-reply-trailer", "down: 1"))
    up = [("up", "2")] if trailers else None
    response = await stage.request_async(site, "POST", headers=headers, body=chunks, trailers=up)
    assert response.status == 200
    if trailers:
        # The trailers' handlers have run, behind the body's, where trailers are sent.
        sent = not site.endswith("no_trailers")
        assert (response.get("trailer-up"), response.get("trailer-x-request-trailers")) == ("2", "seen" if sent else None)
        assert dict(response.trailers) == {"down": b"1"} | ({"x-response-trailers": b"seen"} if sent else {})
    return response


def bodies_of(stage: Stage, site: str, direction: str, cases: dict, trailers: bool = False) -> dict:
    """What becomes of each case (the verb, and which chunks), all at once."""

    async def run() -> list[http.Response]:
        requests = (send(stage, site, direction, verb, SIZES[size], trailers) for verb, size in cases)
        return await asyncio.gather(*requests)

    return dict(zip(cases, (response.body for response in asyncio.run(run())), strict=True))


@pytest.mark.parametrize("trailers", [False, True], ids=["", "trailers"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("mode", BODY_MODES)
def test_every_mode(stage, mode, direction, trailers):
    # In STREAMED mode the last chunk is answered before it is known that trailers follow.
    too_late = mode == "STREAMED" and trailers
    bodies = {size: b"".join(chunks) for size, chunks in SIZES.items()}
    cases = {
        **{("pass", size): body for size, body in bodies.items()},
        **{("upper", size): body.upper() for size, body in bodies.items()},
        **{("ignore", size): body for size, body in bodies.items()},
        **{("head", size): b"head:" + body for size, body in bodies.items()},
        **{("before", size): b"before:" + body for size, body in bodies.items()},
        **{("mode", size): mode.encode() + b":" + body for size, body in bodies.items()},
        **{("wrap", size): b"[" + body + (b"" if too_late else b"]") for size, body in bodies.items()},
        **{("summary", size): b"" if too_late else b"%d bytes" % len(body) for size, body in bodies.items()},
        **{(f"finish {length}", "chunks"): BODY.upper()[:length] for length in (1, 4, 10, len(BODY))},
        ("finish 100000", "large"): bodies["large"].upper()[:100000],
        ("slow 5", "chunks"): BODY,
    }
    assert bodies_of(stage, mode, direction, cases, trailers) == cases


@pytest.mark.parametrize("trailers", [False, True], ids=["", "trailers"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("mode", BODY_MODES[:3])
def test_where_trailers_are_not_sent(stage, mode, direction, trailers):
    expected = {"pass": BODY, "upper": BODY.upper(), "head": b"head:" + BODY, "finish 10": BODY.upper()[:10], "ignore": BODY}
    cases = {(verb, "chunks"): body for verb, body in expected.items()}
    assert bodies_of(stage, f"{mode}_no_trailers", direction, cases, trailers) == cases


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_body_that_does_not_wait_for_the_headers_answer(stage, direction):
    cases = {("upper", "chunks"): BODY.upper(), ("wrap", "chunks"): b"[" + BODY + b"]", ("finish 10", "chunks"): BODY.upper()[:10]}
    assert bodies_of(stage, "eager", direction, cases) == cases


@pytest.mark.parametrize("mode", ["STREAMED", "FULL_DUPLEX_STREAMED"])
def test_a_body_comes_in_several_chunks(stage, mode):
    """That the tests above mean something: their chunks were apart. On a busy machine some run together now and then."""
    server = stage.servers["Bodies"]

    def messages() -> int:
        before = server.stats()["messages"]
        asyncio.run(send(stage, mode, "request", "upper"))
        return server.stats()["messages"] - before

    assert any(messages() >= 2 + 2 * len(CHUNKS) for _ in range(10))


def test_both_directions_are_changed(stage):
    for mode in BODY_MODES:
        do = ["request_body wrap", "response_body upper"]
        response = stage.bodies(mode, "POST", do=do, body=CHUNKS, headers=[("x-reply-chunks", "3")])
        assert (response.status, response.body) == (200, b"[" + BODY.upper() + b"]")


def test_partial_body_of_which_the_rest_passes(stage):
    """What is over Envoy's buffer never comes to the processor."""
    body = b"abcdefgh" * (32 << 10)
    response = stage.bodies("small_buffer", "POST", do=["request_body upper"], body=body)
    assert response.status == 200
    upper = next(at for at in range(len(response.body)) if response.body[at : at + 1].islower())
    assert upper >= 32 << 10
    assert response.body == body[:upper].upper() + body[upper:]


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_no_body(stage, mode, direction):
    """The handler is not called: there is nothing to wrap."""
    response = stage.bodies(mode, "GET", do=[f"{direction}_body wrap"])
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("mode", BODY_MODES)
def test_immediate_response_in_place_of_the_request_body(stage, mode):
    response = stage.bodies(mode, "POST", do=["request_body upper", "request_body respond 418 short"], body=CHUNKS)
    assert (response.status, response.body) == (418, b"short")


@pytest.mark.parametrize("mode", ["BUFFERED", "BUFFERED_PARTIAL"])
def test_headers_with_a_whole_body(stage, mode):
    response = stage.bodies(mode, "POST", do=["response_body upper", "response_body headers"], body=CHUNKS)
    assert (response.status, response.body, response.get("x-body")) == (200, BODY.upper(), "headers")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_more_is_written_than_is_read(stage, direction):
    """Out of one small body ten MiB, at the pace of who takes it."""
    piece = "0123456789abcdef" * 64
    response = asyncio.run(send(stage, "FULL_DUPLEX_STREAMED", direction, f"repeat 10240 {piece}"))
    assert response.body == piece.encode() * 10240


def test_exception_ends_the_stream(stage):
    for mode in BODY_MODES:
        assert stage.bodies(mode, "POST", do=["request_body nonsense"], body=CHUNKS).status == 500


def test_echo_while_the_request_still_comes(stage):
    """The upstream answers each chunk of the request as it comes, and both go through the processor."""

    async def run() -> None:
        connection = await Connection.open(stage.ports["streaming"])
        await connection.open_chunked("POST", "/echo", [("x-do-bodies", "request_body upper"), ("x-do-bodies", "response_body upper")])
        await connection.write_chunk(b"first ")
        assert (await connection.read_head()).status == 200
        for number in range(20):
            assert (await connection.read_chunk()).startswith(b"FIRST" if number == 0 else b"CHUNK %d" % (number - 1))
            await connection.write_chunk(b"chunk %d" % number)
        assert await connection.read_chunk() == b"CHUNK 19"
        await connection.end_chunked()
        assert await connection.read_chunk() == b""
        connection.close()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_caller_that_leaves_in_the_middle(stage):
    async def run() -> None:
        for mode in BODY_MODES:
            connection = await Connection.open(stage.ports[mode])
            await connection.open_chunked("POST", "/", [("x-do-bodies", "request_body upper")])
            await connection.write_chunk(b"first ")
            await asyncio.sleep(0.05)
            connection.close()

    asyncio.run(run())
    server = stage.servers["Bodies"]
    eventually(lambda: server.stats()["streams_open"] == 0, "every stream to end")
    assert stage.bodies("STREAMED", "POST", do=["request_body upper"], body=CHUNKS).body == BODY.upper()


def test_no_illegal_answer_was_given(stage):
    counters = stage.envoy.stats(r"ext_proc\..*(spurious_msgs_received|message_timeouts)$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}
