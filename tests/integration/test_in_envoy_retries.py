"""Bodies that go on in pieces through processors inside Envoy, to a router that keeps them where it may try again: in the place where
Envoy keeps what other filters hold."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest

from harness import http
from harness.certificates import Authority
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Listener, Mode, bootstrap
from harness.inside import Inside, environment
from harness.processes import eventually, free_port

LIMIT = 64 << 10
STREAMED = Mode(request_body="STREAMED", response_body="STREAMED")
FILTERS = {
    "coroutine": (Inside(("test_processors.AsyncScripted",), STREAMED),),
    "blocking": (Inside(("test_processors.BlockingScripted",), STREAMED),),
    "chain": (Inside(("test_processors.AsyncScripted", "test_processors.BlockingScripted"), STREAMED),),
    "two": tuple(Inside(("test_processors.AsyncScripted",), STREAMED, name=name) for name in ("first", "second")),
    "whole": (Inside(("test_processors.AsyncScripted",), Mode(request_body="BUFFERED", response_body="BUFFERED")),),
}
AGAIN = {"retry_policy": {"retry_on": "retriable-headers", "retriable_headers": [{"name": "x-again"}], "num_retries": 1}}
REDIRECTS = {"internal_redirect_policy": {"redirect_response_codes": [303]}}
HANDSHAKE_SECONDS = 0.3
"""Longer than a handler takes for a chunk."""


def route(prefix: str, cluster: str, policy: dict) -> dict:
    return {"match": {"prefix": prefix}, "route": {"cluster": cluster, "timeout": "60s", **policy}}


ROUTES = (
    route("/failing", "failing", {"retry_policy": {"retry_on": "5xx", "num_retries": 2}}),
    route("/slow/retried", "slow", AGAIN),
    route("/slow", "slow", {}),
    route("/retried", "upstream", AGAIN),
    route("/redirected", "upstream", REDIRECTS),
    # These answer while the request still comes.
    *({"match": {"path": "/echo", "headers": [{"name": "x-try", "string_match": {"exact": name}}]}, "route": {"cluster": "streaming", **policy}}
      for name, policy in {"again": AGAIN, "redirected": REDIRECTS}.items()),
)


def served(serve: Callable[[socket.socket], None]) -> int:
    """A port whose connections are served in threads of their own."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            client, _ = listening.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listening.getsockname()[1]


def terminate_tls_slowly(authority: Authority, upstream_port: int) -> int:
    """A port whose connections take a time to be there."""
    pair = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    def copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve(client: socket.socket) -> None:
        time.sleep(HANDSHAKE_SECONDS)
        with context.wrap_socket(client, server_side=True) as secure, socket.create_connection(("127.0.0.1", upstream_port)) as upstream:
            back = threading.Thread(target=copy, args=(upstream, secure), daemon=True)
            back.start()
            copy(secure, upstream)
            back.join()

    return served(serve)


def fail_first(failed: set[bytes]) -> int:
    """The port of an upstream that answers the first try of each x-case with 503 as soon as it has its headers, and another with its body."""

    def serve(client: socket.socket) -> None:
        with client, client.makefile("rwb") as stream:
            fields = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.strip().partition(b": ")
                fields[name.lower()] = value
            case = fields.get(b"x-case", b"")
            if case not in failed:
                failed.add(case)
                stream.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            body = b""
            while size := int(stream.readline() or b"0", 16):
                body += stream.read(size)
                stream.readline()
            stream.readline()
            stream.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body)

    return served(serve)


FAILED: set[bytes] = set()
PORTS: dict[str, int] = {}


@pytest.fixture(scope="module")
def envoy(launcher, raw_port, streaming_port, authority) -> Envoy:
    PORTS.update({name: free_port() for name in FILTERS})
    tls = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"},
    }
    clusters = [
        Cluster("upstream", (raw_port,), http2=False, trailers=True),
        Cluster("streaming", (streaming_port,), http2=False, trailers=True),
        Cluster("failing", (fail_first(FAILED),), http2=False),
        Cluster("slow", (terminate_tls_slowly(authority, raw_port),), http2=False, trailers=True, transport_socket=tls, one_request=True),
    ]
    listeners = [Listener(name, PORTS[name], filters, routes=ROUTES, buffer_bytes=LIMIT) for name, filters in FILTERS.items()]
    admin = free_port()
    return Envoy(launcher, bootstrap(admin, listeners, clusters), admin, 2, env=environment())


def ask(name: str, path: str, do: list[str], body: list[bytes], **parts) -> http.Response:
    return http.request(PORTS[name], "POST", path, body=body, headers=[*(("x-do", each) for each in do), *parts.get("headers", [])])


def retries(envoy: Envoy, cluster: str) -> int:
    return envoy.stats(rf"^cluster\.{cluster}\.upstream_rq_retry$")[f"cluster.{cluster}.upstream_rq_retry"]


def chunks(count: int, size: int) -> list[bytes]:
    return [(b"%06d." % number * (size // 7 + 1))[:size] for number in range(count)]


DO = {"at once": [], "later": ["request_body sleep 2"], "headers": ["request_headers sleep 20", "request_body sleep 5"]}
STREAMS = [name for name in FILTERS if name != "whole"]


@pytest.mark.parametrize("sent", [chunks(60, 5_000), chunks(12, 60_000), chunks(150, 1_000)], ids=lambda sent: f"{len(sent)}x{len(sent[0])}")
@pytest.mark.parametrize("path", ["/retried", "/redirected"])
@pytest.mark.parametrize("do", DO)
@pytest.mark.parametrize("name", STREAMS)
def test_what_is_more_than_is_kept_for_another_try_goes_on(envoy, name, do, path, sent):
    """The router gives up on that; what it has been sent it has got once."""
    response = ask(name, path, DO[do], sent)
    whole = b"".join(sent)
    assert (response.status, len(response.body), response.body == whole) == (200, len(whole), True)


@pytest.mark.parametrize("do", DO)
@pytest.mark.parametrize("name", FILTERS)
def test_a_request_is_tried_again_as_a_whole(envoy, name, do):
    for sent in (chunks(5, 1_000), chunks(30, 2_000)):
        before = retries(envoy, "upstream")
        response = ask(name, "/retried", DO[do], sent, headers=[("x-reply-header", "x-again: 1")])
        whole = b"".join(sent)
        assert (response.status, len(response.body), response.body == whole) == (200, len(whole), True)
        eventually(lambda before=before: retries(envoy, "upstream") == before + 1, "it is tried again")


async def send_at_once(name: str, case: str, sleep: int, body: bytes) -> http.Response:
    connection = await http.Connection.open(PORTS[name])
    do = [("x-do", f"request_body sleep {sleep}"), ("x-do", "request_body replace X")]
    await connection.open_chunked("POST", "/failing", [("x-case", case), *do])
    for at in range(0, len(body), 8_000):
        await connection.write_chunk(body[at : at + 8_000])
    await connection.end_chunked()
    response = await asyncio.wait_for(connection.read_response("POST"), 20)
    connection.close()
    return response


@pytest.mark.parametrize("sleep", [1, 5, 30])
@pytest.mark.parametrize("name", STREAMS)
def test_another_try_sends_nothing_that_a_handler_has_not_seen(envoy, name, sleep):
    """The first fails while the body waits for its handler."""
    for number in range(5):
        case = f"{name}-{sleep}-{number}"
        response = asyncio.run(send_at_once(name, case, sleep, b"u" * 400_000))
        assert case.encode() in FAILED
        assert response.status in (200, 503)
        assert set(response.body) <= {ord("X")}, (response.status, len(response.body), response.body.count(b"u"))


@pytest.mark.parametrize("path", ["/slow", "/slow/retried"])
@pytest.mark.parametrize("do", DO)
@pytest.mark.parametrize("name", FILTERS)
def test_chunks_go_on_while_the_upstream_connects(envoy, name, do, path):
    for sent in (chunks(5, 1_000), chunks(60, 500)):
        response = ask(name, path, DO[do], sent)
        whole = b"".join(sent)
        assert (response.status, len(response.body), response.body == whole) == (200, len(whole), True)


@pytest.mark.parametrize("name", FILTERS)
def test_a_request_is_tried_again_behind_a_slow_connection(envoy, name):
    before = retries(envoy, "slow")
    sent = chunks(40, 500)
    response = ask(name, "/slow/retried", DO["later"], sent, headers=[("x-reply-header", "x-again: 1")])
    assert response.body == b"".join(sent)
    eventually(lambda: retries(envoy, "slow") == before + 1, "it is tried again")


async def converse(name: str, kind: str, sent: list[bytes], wait: bool) -> bytes:
    """What comes back of chunks; `wait`: for each of them before the next."""
    connection = await http.Connection.open(PORTS[name])
    await connection.open_chunked("POST", "/echo", [("x-try", kind), ("x-do", "request_body sleep 2")])

    async def read(most: int | None = None) -> bytes:
        came = b""
        while most is None or len(came) < most:
            chunk = await asyncio.wait_for(connection.read_chunk(), 10)
            if not chunk:
                break
            came += chunk
        return came

    await connection.write_chunk(sent[0])
    await asyncio.wait_for(connection.read_head(), 10)
    came = await read(len(sent[0]))
    if not wait:
        reading = asyncio.create_task(read())
    for chunk in sent[1:]:
        await connection.write_chunk(chunk)
        if wait:
            came += await read(len(chunk))
    await connection.end_chunked()
    came += await read() if wait else await reading
    connection.close()
    return came


@pytest.mark.parametrize("wait", [True, False], ids=["turns", "at once"])
@pytest.mark.parametrize("kind", ["again", "redirected"])
@pytest.mark.parametrize("name", STREAMS)
def test_an_upstream_that_answers_early_gets_all_of_it(envoy, name, kind, wait):
    """Nothing is tried again then; the router may keep it all the same."""
    for sent in (chunks(20, 9_000), chunks(10, 50_000)):
        came = asyncio.run(converse(name, kind, sent, wait))
        assert (len(came), came == b"".join(sent)) == (len(b"".join(sent)), True)


def test_the_upstream_sees_no_mark_of_the_filters(envoy):
    name = "x-envoy-retriable-status-codes"
    for setup in FILTERS:
        for path in ("/all", "/retried"):
            response = ask(setup, path, DO["headers"], chunks(3, 100), headers=[("x-reply-request-header", name)])
            assert (response.status, response.get(name)) == (200, None)
