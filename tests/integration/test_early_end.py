"""Streams that the server ends as soon as nothing with a handler can come: no request may notice."""

import asyncio
import subprocess
import zlib

import pytest

from harness import paths, streaming_upstream
from harness.envoy_config import Cluster, Mode
from harness.http import Connection
from harness.lab import DUPLEX, HEADERS_ONLY, PARTIAL, WITH_TRAILERS
from harness.processes import eventually
from harness.stage import Site, Stage
from harness.test_server import TestServer

STREAMED = Mode(request_body="STREAMED", response_body="STREAMED")
STREAMED_TRAILERS = Mode(request_body="STREAMED", response_body="STREAMED", request_trailer="SEND", response_trailer="SEND")
MODES = {
    "none": HEADERS_ONLY,
    "buffered": Mode(),
    "buffered_trailers": WITH_TRAILERS,
    "partial": PARTIAL,
    "streamed": STREAMED,
    "streamed_trailers": STREAMED_TRAILERS,
}
EAGER = {"send_body_without_waiting_for_header_response": True}
AT_ONCE = 40


@pytest.fixture(scope="module")
def stage(launcher, raw_port, streaming_port) -> Stage:
    servers = {
        "Early": TestServer(launcher, "RequestHeadersOnly", reveal_chain="off"),
        "Off": TestServer(launcher, "RequestHeadersOnly", reveal_chain="off", early_end="off"),
        "Chain": TestServer(launcher, "RequestHeadersOnly", reveal_chain="on"),
    }
    sites = [Site(name, ("Early",), mode) for name, mode in MODES.items()]
    sites += [Site(f"{name}_open", ("Early",), mode, failure_mode_allow=True) for name, mode in MODES.items()]
    sites += [Site(f"{name}_off", ("Off",), mode) for name, mode in MODES.items()]
    sites += [Site(f"{name}_chain", ("Chain",), mode) for name, mode in MODES.items()]
    sites += [Site(f"{name}_sink", ("Early",), mode, upstream="streaming") for name, mode in MODES.items()]
    sites += [Site("eager_sink", ("Early",), STREAMED, extra=EAGER, upstream="streaming"), Site("eager", ("Early",), STREAMED, extra=EAGER)]
    sites += [Site("duplex", ("Early",), DUPLEX), Site("two", ("Early", "Chain", "Off"), STREAMED)]
    streaming = Cluster("streaming", (streaming_port,), http2=False, trailers=True)
    return Stage(launcher, servers, sites, raw_port, clusters=(streaming,))


def requests(stage: Stage, site: str, count: int, body: bytes | list[bytes] | None, trailers: list | None = None) -> list:
    """What was not as it should be among so many requests, AT_ONCE at a time, each connection kept open."""
    wrong = []
    whole = b"".join(body) if isinstance(body, list) else body or b""

    async def one_after_another() -> None:
        connection = await Connection.open(stage.ports[site])
        for number in range(count // AT_ONCE):
            headers = [("x-do", f"request_headers set x-up={number}"), ("x-reply-request-header", "x-up")]
            response = await connection.request("POST" if body else "GET", "/", headers=headers, body=body, trailers=trailers)
            if (response.status, response.body, response.get("x-up")) != (200, whole, str(number)):
                wrong.append(response)
        connection.close()

    async def run() -> None:
        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))

    asyncio.run(asyncio.wait_for(run(), 120))
    return wrong


def assert_no_failure(stage: Stage, site: str) -> dict[str, int]:
    counters = stage.counters(site)
    bad = ("streams_failed", "message_timeouts", "failure_mode_allowed", "spurious_msgs_received")
    assert {name: counters[name] for name in bad if name in counters} == {}
    return counters


@pytest.mark.parametrize("body", [None, b"x" * 100, b"y" * 100_000], ids=["get", "small", "large"])
@pytest.mark.parametrize("site", [*MODES, "eager"])
def test_no_request_notices(stage, site, body):
    count = 80
    before = stage.servers["Early"].stats()
    assert requests(stage, site, count, body) == []
    counters = assert_no_failure(stage, site)
    assert counters["streams_started"] >= count
    after = stage.servers["Early"].stats()
    assert after["early_ends"] - before["early_ends"] == count
    # One message of each stream was answered; of bodies under way some come behind it.
    assert after["streams_failed"] == before["streams_failed"]


@pytest.mark.parametrize("body", [None, b"x" * 10_000], ids=["get", "post"])
@pytest.mark.parametrize("site", [*MODES, "eager"])
def test_thousands_at_full_speed(stage, site, body, tmp_path):
    count = 600
    command = [paths.tool("h2load"), "--h1", "-n", str(count), "-c", "20", "-t", "1"]
    if body:
        (tmp_path / "body").write_bytes(body)
        command += ["-d", str(tmp_path / "body")]
    command.append(f"http://127.0.0.1:{stage.ports[site]}/")
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert f"{count} succeeded, 0 failed, 0 errored, 0 timeout" in run.stdout, run.stdout
    assert f"status codes: {count} 2xx" in run.stdout
    assert_no_failure(stage, site)


@pytest.mark.parametrize("site", MODES)
def test_with_trailers(stage, site):
    assert requests(stage, site, 80, [b"one", b"two"], [("up", "1")]) == []
    assert_no_failure(stage, site)


@pytest.mark.parametrize("site", MODES)
def test_no_request_notices_where_the_filter_fails_open(stage, site):
    assert requests(stage, f"{site}_open", 80, b"body") == []
    assert_no_failure(stage, f"{site}_open")


@pytest.mark.parametrize("site", ["none", "streamed", "streamed_trailers", "eager"])
def test_large_upload_of_which_chunks_are_under_way(stage, site):
    """10 MiB, of which Envoy has sent chunks to the server when that ends the stream."""
    pieces = list(streaming_upstream.generate(10 << 20))
    expected = {"bytes": 10 << 20, "crc": zlib.crc32(b"".join(pieces)), "trailers": {"up": "1"}}

    async def upload() -> dict:
        connection = await Connection.open(stage.ports[f"{site}_sink"])
        await connection.open_chunked("POST", "/sink", [("x-do", "request_headers set x-up=1")])
        for piece in pieces:
            await connection.write_chunk(piece)
        await connection.end_chunked([("up", "1")])
        response = await connection.read_response("POST")
        connection.close()
        return response.json()

    async def run() -> list[dict]:
        return await asyncio.gather(*(upload() for _ in range(5)))

    assert asyncio.run(asyncio.wait_for(run(), 60)) == [expected] * 5
    assert_no_failure(stage, f"{site}_sink")


def test_the_server_ends_the_stream_and_the_filter_goes_on(stage):
    """One message per request, though the filter is set up to send six."""
    server = stage.servers["Early"]
    before = server.stats()
    assert requests(stage, "buffered_trailers", 80, [b"body"], [("up", "1")]) == []
    after = server.stats()
    assert after["messages"] - before["messages"] == 80
    assert after["early_ends"] - before["early_ends"] == 80
    assert "server_half_closed" in stage.counters("buffered_trailers")


@pytest.mark.parametrize("site", MODES)
def test_off(stage, site):
    server = stage.servers["Off"]
    before = server.stats()
    assert requests(stage, f"{site}_off", 80, b"body") == []
    assert_no_failure(stage, f"{site}_off")
    after = server.stats()
    assert after["early_ends"] == before["early_ends"] == 0
    assert after["messages"] - before["messages"] >= 160  # the response's headers at least


@pytest.mark.parametrize("site", MODES)
def test_chain_header_is_still_added(stage, site):
    """It is added to the response's headers, so that the stream is open until those have come."""

    async def run() -> list:
        return await asyncio.gather(*(stage.request_async(f"{site}_chain", "POST", body=b"body") for _ in range(80)))

    responses = asyncio.run(run())
    assert {(response.status, response.body, response.get("x-ext-procs-applied")) for response in responses} == {
        (200, b"body", "RequestHeadersOnly")
    }
    assert_no_failure(stage, f"{site}_chain")
    assert stage.servers["Chain"].stats()["early_ends"] > 0


def test_full_duplex_is_not_ended_early(stage):
    """Its chunks are answered until the end: Envoy has nothing else to send on."""
    before = stage.servers["Early"].stats()["early_ends"]
    assert requests(stage, "duplex", 80, b"body" * 1000) == []
    assert stage.servers["Early"].stats()["early_ends"] == before


def test_several_filters_in_line(stage):
    assert requests(stage, "two", 200, b"body" * 1000) == []


def test_immediate_response(stage):
    for site in MODES:
        response = stage.request(site, "POST", do=["request_headers respond 418 short"], body=b"body")
        assert (response.status, response.body) == (418, b"short")


def test_every_stream_has_ended(stage):
    for server in stage.servers.values():
        eventually(lambda server=server: server.stats()["streams_open"] == 0, "every stream to end")
