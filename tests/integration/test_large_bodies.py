"""Bodies that are larger than anybody's memory go through, and what waits does not pile up in the server."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from harness import http, paths, streaming_upstream
from harness.envoy_config import Mode
from harness.lab import DUPLEX
from harness.processes import eventually
from harness.stage import Site, Stage
from harness.test_server import TestServer

MIB = 1 << 20
GIB = 1 << 30
MOST_GROWTH = 32 * MIB * paths.memory_factor()
STREAMED = Mode(request_body="STREAMED", response_body="STREAMED", request_trailer="SEND", response_trailer="SEND")


@pytest.fixture(scope="module")
def stage(launcher, streaming_port) -> Stage:
    sites = [Site("duplex", ("Bodies",), DUPLEX), Site("streamed", ("Bodies",), STREAMED)]
    stage = Stage(launcher, {"Bodies": TestServer(launcher, "Bodies")}, sites, streaming_port)
    for site in ("duplex", "streamed"):
        stage.bodies(site, "POST", body=[b"x" * 65536] * 20, path="/sink")
    return stage


@contextmanager
def no_growth(stage: Stage):
    """The server's resident memory, looked at all the time, stays where it is."""
    process = stage.servers["Bodies"].process
    before = process.resident_kib()
    most, over = before, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.01):
            most = max(most, process.resident_kib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert (most - before) * 1024 < MOST_GROWTH


def upload(port: int, path: str, count: int, headers: bytes = b"") -> http.Response:
    """Sends a generated body."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n%b\r\n" % (path.encode(), count, headers))
        for piece in streaming_upstream.generate(count):
            connection.sendall(piece)
        with connection.makefile("rb") as stream:
            status = int(stream.readline().split(b" ")[1])
            fields = streaming_upstream.read_headers(stream)
            return http.Response(status, [], b"".join(streaming_upstream.chunks(stream, fields, {})))


def download(port: int, count: int, headers: bytes = b"") -> dict:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /source/%d HTTP/1.1\r\nhost: a\r\n%b\r\n" % (count, headers))
        with connection.makefile("rb", MIB) as stream:
            assert stream.readline().split(b" ")[1] == b"200"
            fields = streaming_upstream.read_headers(stream)
            return streaming_upstream.summary(streaming_upstream.chunks(stream, fields, {}))


def wait_until_nothing_moves(stage: Stage, for_seconds: float = 0.3) -> None:
    """Until the server gets no more messages."""
    server = stage.servers["Bodies"]

    def still() -> bool:
        before = server.stats()["messages"]
        time.sleep(for_seconds)
        return server.stats()["messages"] == before

    eventually(still, "the flow to stop", 20)


@pytest.fixture(scope="module")
def gibibyte() -> dict:
    """What a generated GiB in upper case amounts to."""
    upper = streaming_upstream.PIECE.upper()
    return streaming_upstream.summary(upper[: len(piece)] for piece in streaming_upstream.generate(GIB))


def test_a_gibibyte_up(stage, gibibyte):
    with no_growth(stage):
        response = upload(stage.ports["duplex"], "/sink", GIB, b"x-do-bodies: request_body upper\r\n")
    assert response.status == 200
    assert response.json() == {**gibibyte, "trailers": {}}


def test_a_gibibyte_down(stage, gibibyte):
    with no_growth(stage):
        assert download(stage.ports["duplex"], GIB, b"x-do-bodies: response_body upper\r\n") == gibibyte


def test_both_directions_at_once(stage):
    """The upstream echoes while the request still comes; both are changed on their way."""
    count = 64 * MIB
    headers = b"x-do-bodies: request_body upper\r\nx-do-bodies: response_body upper\r\n"
    upper = streaming_upstream.PIECE.upper()
    expected = streaming_upstream.summary(upper[: len(piece)] for piece in streaming_upstream.generate(count))
    with no_growth(stage), socket.create_connection(("127.0.0.1", stage.ports["duplex"])) as connection:

        def send() -> None:
            connection.sendall(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n%b\r\n" % (count, headers))
            for piece in streaming_upstream.generate(count):
                connection.sendall(piece)

        sender = threading.Thread(target=send)
        sender.start()
        with connection.makefile("rb", MIB) as stream:
            assert stream.readline().split(b" ")[1] == b"200"
            fields = streaming_upstream.read_headers(stream)
            assert streaming_upstream.summary(streaming_upstream.chunks(stream, fields, {})) == expected
        sender.join()


@pytest.mark.parametrize("site", ["duplex", "streamed"])
def test_a_caller_that_does_not_read(stage, site):
    with no_growth(stage), socket.create_connection(("127.0.0.1", stage.ports[site])) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /source/%d HTTP/1.1\r\nhost: a\r\nx-do-bodies: response_body upper\r\n\r\n" % GIB)
        assert connection.recv(100)
        wait_until_nothing_moves(stage)


def test_a_handler_that_writes_more_than_anybody_takes(stage):
    """It waits for writable(): the caller stops reading."""
    with no_growth(stage), socket.create_connection(("127.0.0.1", stage.ports["duplex"])) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        action = b"response_body repeat 100000000 " + b"x" * 8192
        connection.sendall(b"GET /source/1 HTTP/1.1\r\nhost: a\r\nx-do-bodies: %b\r\n\r\n" % action)
        assert connection.recv(100)
        wait_until_nothing_moves(stage, for_seconds=1.0)


def test_what_envoy_keeps_of_a_handler_that_makes_more_than_it_reads(stage):
    """All of it, since writable() knows what Envoy has taken, not its caller; or as much as the handler's pace lets be ahead."""

    def kept() -> int:
        return sum(stage.envoy.stats(r"^http\.duplex\.downstream_cx_tx_bytes_buffered$").values())

    @contextmanager
    def writing(verb: bytes):
        eventually(lambda: kept() == 0, "callers before to be gone")
        with socket.create_connection(("127.0.0.1", stage.ports["duplex"])) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            action = b"response_body %b 12288 %b" % (verb, b"x" * 8192)
            connection.sendall(b"GET /source/1 HTTP/1.1\r\nhost: a\r\nx-do-bodies: %b\r\n\r\n" % action)
            assert connection.recv(100)
            yield

    with writing(b"repeat"):
        eventually(lambda: kept() > 64 * MIB, "Envoy to have it all")
    with writing(b"repeat_at_a_pace"):
        wait_until_nothing_moves(stage, for_seconds=1.0)
        assert kept() < 8 * MIB
    eventually(lambda: stage.servers["Bodies"].stats()["streams_open"] == 0, "the streams to end")


def test_every_stream_has_ended(stage):
    server = stage.servers["Bodies"]
    eventually(lambda: server.stats()["streams_open"] == 0, "every stream to end")
    counters = stage.envoy.stats(r"ext_proc\..*(spurious_msgs_received|message_timeouts)$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}


@pytest.mark.parametrize("site", ["duplex", "streamed"])
def test_an_upstream_that_does_not_read(stage, site):
    # Envoy does not see the caller go while it reads nothing of it, so that these streams stay.
    with no_growth(stage), socket.create_connection(("127.0.0.1", stage.ports[site])) as connection:
        connection.sendall(b"POST /stuck HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % GIB)
        connection.setblocking(False)
        pieces, stuck = streaming_upstream.generate(GIB), 0
        while stuck < 100:
            try:
                connection.send(next(pieces))
                stuck = 0
            except BlockingIOError:
                stuck += 1
                time.sleep(0.005)
