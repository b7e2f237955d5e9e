"""Behind a real Envoy, on one connection of HTTP/1.1: no byte where HTTP has no body, and no content-length that does not fit."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable

import pytest

from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.processes import free_port
from harness.stage import Site, Stage

NOTHING = Mode(request_body="NONE", response_body="NONE")
STREAMED = Mode(request_body="STREAMED", response_body="STREAMED")
DUPLEX = Mode("SEND", "SEND", "FULL_DUPLEX_STREAMED", "FULL_DUPLEX_STREAMED", "SEND", "SEND")
KEPT = {"allow_content_length_header": True}
OVERRIDES = {"allow_mode_override": True}
ROUTING = {"mutation_rules": {"allow_all_routing": True}}
CHUNKS = 4


class Upstream:
    """Answers as the path says, keeps its connections, and what it read of them as requests."""

    def __init__(self):
        self.port = free_port()
        self.lines: list[str] = []
        self.stop: Callable[[], object] = lambda: None

    async def run(self, begun: threading.Event) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.stop = lambda: loop.call_soon_threadsafe(stopped.set)
        async with await asyncio.start_server(self.serve, "127.0.0.1", self.port):
            begun.set()
            await stopped.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *fields = head[:-4].split(b"\r\n")
                self.lines.append(line.decode("latin-1"))
                headers = dict(field.lower().split(b": ", 1) for field in fields)
                await self._read_body(reader, headers)
                writer.write(self._answer(line))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            writer.close()

    @staticmethod
    async def _read_body(reader: asyncio.StreamReader, headers: dict) -> None:
        if headers.get(b"transfer-encoding") == b"chunked":
            await reader.readuntil(b"0\r\n\r\n")
        else:
            await reader.readexactly(int(headers.get(b"content-length", b"0")))

    @staticmethod
    def _answer(line: bytes) -> bytes:
        method, path, _ = line.split(b" ")
        if path in (b"/204", b"/304"):
            return b"HTTP/1.1 %b x\r\n\r\n" % path[1:]
        if path == b"/cached":
            return b"HTTP/1.1 304 x\r\ncontent-length: 9\r\n\r\n"
        if path == b"/many":
            many = b"".join(b"x-%d: v\r\n" % number for number in range(97))
            return b"HTTP/1.1 200 OK\r\n" + many + b"content-length: 2\r\n\r\nok"
        if path == b"/chunks":
            return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"4\r\nbody\r\n" * CHUNKS + b"0\r\n\r\n"
        return b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n" + (b"" if method == b"HEAD" else b"body")


@pytest.fixture(scope="module")
def upstream():
    serving = Upstream()
    begun = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serving.run(begun)))
    thread.start()
    begun.wait()
    yield serving
    serving.stop()
    thread.join()


@pytest.fixture(scope="module")
def stage(launcher, upstream) -> Stage:
    servers = {
        "Plain": Extproc(launcher, "test_processors.Scripted"),
        "Waiting": Extproc(launcher, "test_processors.AsyncScripted"),
        "Told": Extproc(launcher, "test_processors.Scripted", ("--allow-content-length-header", "--allow-mode-override")),
    }
    sites = [
        Site("headers", ("Plain",), NOTHING),
        Site("waiting", ("Waiting",), NOTHING),
        Site("streamed", ("Plain",), STREAMED),
        Site("buffered", ("Plain",), Mode()),
        Site("duplex", ("Plain",), DUPLEX),
        Site("kept_streamed", ("Plain",), STREAMED, extra=KEPT),
        Site("kept_partial", ("Plain",), Mode(request_body="BUFFERED_PARTIAL", response_body="BUFFERED_PARTIAL"), extra=KEPT),
        Site("kept_duplex", ("Plain",), DUPLEX, extra=KEPT),
        Site("routing", ("Plain",), NOTHING, extra=ROUTING),
        Site("overridden", ("Told",), Mode(request_body="NONE"), extra=OVERRIDES),
    ]
    return Stage(launcher, servers, sites, upstream.port)


def talk(port: int, *requests: bytes) -> list[bytes]:
    """Sends all on one connection, which the last one ends; gives what came, cut where a response begins."""
    *first, last = requests
    last = last.replace(b"host: x\r\n", b"host: x\r\nconnection: close\r\n", 1)
    answered = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(b"".join([*first, last]))
        while more := peer.recv(1 << 20):
            answered += more
    before, *answers = answered.split(b"HTTP/1.1 ")
    assert (before, len(answers)) == (b"", len(requests)), answered
    return answers


def get(path: str = "/", do: str = "", method: str = "GET", body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: x", *([f"x-do: {do}"] if do else [])]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def bodies(answers: list[bytes]) -> list[bytes]:
    return [answer.partition(b"\r\n\r\n")[2] for answer in answers]


@pytest.mark.parametrize("site", ["headers", "streamed", "buffered", "duplex"])
@pytest.mark.parametrize(
    "request_bytes",
    [
        get(method="HEAD", do="response_headers continue_and_replace replaced"),
        get("/204", "response_headers continue_and_replace replaced"),
        get("/304", "response_headers continue_and_replace replaced"),
        get("/", "response_headers set :status=304"),
        get("/chunks", "response_headers set :status=304"),
        get("/chunks", "response_headers set :status=204"),
        get("/", "request_headers respond 204 gone"),
        get("/", "response_headers respond 304 gone"),
    ],
    ids=["HEAD", "204", "304", "made_304", "made_304_of_chunks", "made_204_of_chunks", "respond_204", "respond_304"],
)
def test_nothing_stands_behind_the_head(stage, site, request_bytes):
    answers = talk(stage.ports[site], request_bytes, request_bytes)
    assert bodies(answers) == [b"", b""]


@pytest.mark.parametrize("path", ["/", "/chunks"])
def test_a_status_that_comes_with_the_body(stage, path):
    request = get(path, "response_body set :status=304")
    answers = talk(stage.ports["buffered"], request, request)
    assert [answer[:3] for answer in answers] == [b"304"] * 2
    assert bodies(answers) == [b"", b""]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_response_in_pieces(stage, method, status):
    do = "request_headers stream " + json.dumps({"status": status, "chunks": ["a", "b"], "trailers": [["x-end", "1"]]})
    answers = talk(stage.ports["waiting"], get("/", do, method), get("/", do, method))
    assert [answer[:3] for answer in answers] == [b"%d" % status] * 2
    assert bodies(answers) == [b"", b""]


@pytest.mark.parametrize("site", ["kept_streamed", "kept_partial", "kept_duplex"])
def test_a_kept_content_length_does_not_let_a_body_over_it(stage, upstream, site):
    upstream.lines.clear()
    request = get("/", "request_body replace longer than it was", "POST", b"body")
    request = request.replace(b"host: x\r\n", b"host: x\r\nx-do: response_body replace longer than it was\r\n")
    answers = talk(stage.ports[site], request, request)
    assert upstream.lines == ["POST / HTTP/1.1"] * 2
    assert all(b"longer than it was" in answer and b"content-length: 4\r\n" not in answer for answer in answers)


@pytest.mark.parametrize("site", ["headers", "streamed", "buffered", "duplex", "kept_streamed", "kept_partial", "kept_duplex"])
@pytest.mark.parametrize("what", ["headers", "body"])
@pytest.mark.parametrize("path", ["/", "/chunks"])
def test_a_content_length_that_is_set_by_hand(stage, upstream, site, what, path):
    """One that does not fit leaves neither to the caller nor to the upstream, for which the next request would begin in the body."""
    upstream.lines.clear()
    request = get(path, f"request_{what} set content-length=2", "POST", b"body")
    request = request.replace(b"host: x\r\n", f"host: x\r\nx-do: response_{what} set content-length=2\r\n".encode())
    answers = talk(stage.ports[site], request, request)
    assert upstream.lines == [f"POST {path} HTTP/1.1"] * 2
    assert all(body.count(b"body") == (1 if path == "/" else CHUNKS) for body in bodies(answers))
    assert all(b"content-length: 2\r\n" not in answer for answer in answers)


def test_a_content_length_of_a_response_in_pieces(stage):
    do = "request_headers stream " + json.dumps({"headers": [["content-length", "1"]], "chunks": ["some", "more"]})
    answers = talk(stage.ports["waiting"], get("/", do), get("/", do))
    assert all(b"some" in body and b"more" in body for body in bodies(answers))


@pytest.mark.parametrize(
    ("site", "request_bytes"),
    [("headers", get("/cached", "response_headers set :status=200")), ("routing", get("/", "request_headers set :method=HEAD"))],
    ids=["304", "HEAD"],
)
def test_a_response_that_gains_a_body_has_none(stage, site, request_bytes):
    """Its content-length is that of another, for whose body the caller would wait."""
    answers = talk(stage.ports[site], request_bytes, request_bytes)
    assert [answer[:3] for answer in answers] == [b"200"] * 2
    assert all(b"content-length: 9" not in answer and b"content-length: 4" not in answer for answer in answers)


def test_a_full_response_passes_without_the_chain_header(stage):
    (answer,) = talk(stage.ports["headers"], get("/many"))
    assert answer.startswith(b"200") and b"x-ext-procs-applied" not in answer


def test_an_override_to_full_duplex(stage):
    """For one response: the other comes as the filter is set up."""
    do = "response_headers mode response_body=FULL_DUPLEX_STREAMED"
    before = stage.counters("overridden").get("stream_msgs_sent", 0)
    (answer,) = talk(stage.ports["overridden"], get("/chunks", do))
    assert answer.startswith(b"200") and answer.count(b"body") >= 1 and answer.endswith(b"0\r\n\r\n")
    (answer,) = talk(stage.ports["overridden"], get("/"))
    assert answer.endswith(b"body")
    assert stage.counters("overridden")["stream_msgs_sent"] > before
    assert stage.servers["Told"].lines("mode_override") == []
