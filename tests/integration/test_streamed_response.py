"""Responses that a processor writes piece by piece: streamed where Envoy accepts that, else collected."""

import asyncio
import json

import grpc
import pytest

from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.http import Connection
from harness.lab import DUPLEX, with_actions
from harness.stage import Site, Stage

# Envoy looks at request_body_mode alone: with these two it takes a StreamedImmediateResponse.
STREAMING = {
    "none": Mode(request_body="NONE", response_body="NONE"),
    "none_with_response": Mode(request_body="NONE", response_body="BUFFERED", response_trailer="SEND"),
    "none_request_only": Mode(request_body="NONE", response_header="SKIP", response_body="NONE"),
    "duplex": DUPLEX,
    "duplex_request": Mode(request_body="FULL_DUPLEX_STREAMED", response_body="NONE", request_trailer="SEND"),
}
COLLECTED = {
    "buffered": Mode(),
    "streamed": Mode(request_body="STREAMED", response_body="NONE"),
    "partial": Mode(request_body="BUFFERED_PARTIAL", response_body="FULL_DUPLEX_STREAMED", response_trailer="SEND"),
}
REQUESTS = {
    "get": {"method": "GET"},
    "post": {"method": "POST", "body": b"the request's body"},
    "chunks": {"method": "POST", "body": [b"the", b"request's", b"body"]},
    "trailers": {"method": "POST", "body": [b"body"], "trailers": [("up", "1")]},
}


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {"AsyncScripted": Extproc(launcher, "test_processors.AsyncScripted"), "Bodies": Extproc(launcher, "test_processors.Bodies")}
    one = ("AsyncScripted",)
    sites = [Site(name, one, mode) for name, mode in (STREAMING | COLLECTED).items()]
    sites.append(Site("impatient", one, STREAMING["none"], message_timeout="0.2s"))
    # The response goes through a second filter, which stands in front of the first.
    sites.append(Site("behind", ("Bodies", "AsyncScripted"), STREAMING["duplex"]))
    return Stage(launcher, servers, sites, raw_port)


def stream(status: int = 200, **members) -> str:
    return "request_headers stream " + json.dumps({"status": status, **members})


@pytest.mark.parametrize("mode", STREAMING)
@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("trailers", [[], [["x-sum", "9"], ["x-more", "1"]]], ids=["", "trailers"])
def test_streamed(stage, mode, request_, trailers):
    chunks = [f"chunk {number};" for number in range(40)]
    do = [stream(203, headers=[["x-a", "1"], ["x-b", "2"], ["x-b", "3"]], chunks=chunks, trailers=trailers)]
    response = stage.request(mode, do=do, **REQUESTS[request_])
    assert (response.status, response.body) == (203, "".join(chunks).encode())
    # Envoy 1.40 sets each header anew, so that of a repeated one the last is left.
    assert (response.all("x-a"), response.all("x-b")) == ([b"1"], [b"3"])
    assert response.get("x-ext-procs-applied") == "AsyncScripted"
    assert response.trailers == [(name, value.encode()) for name, value in trailers]


@pytest.mark.parametrize("mode", COLLECTED)
@pytest.mark.parametrize("request_", REQUESTS)
def test_collected(stage, mode, request_):
    do = [stream(203, headers=[["x-a", "1"]], chunks=["a", "b", "c"], trailers=[["x-sum", "9"]])]
    response = stage.request(mode, do=do, **REQUESTS[request_])
    assert (response.status, response.body, response.get("x-a")) == (203, b"abc", "1")
    assert response.get("content-length") == "3"
    assert response.trailers == []


@pytest.mark.parametrize("mode", [*STREAMING, *COLLECTED])
def test_without_a_body(stage, mode):
    response = stage.request(mode, do=[stream(204, headers=[["x-a", "1"]])])
    assert (response.status, response.body, response.get("x-a")) == (204, b"", "1")


@pytest.mark.parametrize("mode", ["none", "duplex"])
@pytest.mark.parametrize("request_", ["get", "chunks"])
def test_each_piece_leaves_when_it_is_written(stage, mode, request_):
    """The caller has the first pieces while the handler waits for another request before it writes the last."""

    async def run() -> None:
        connection = await Connection.open(stage.ports[mode])
        parts = {"path": "/", **REQUESTS[request_]}
        await connection.send(**with_actions([stream(chunks=["first", "second", "@wait", "third"])], parts))
        assert (await connection.read_head()).status == 200
        got = b""
        while got != b"firstsecond":
            got += await connection.read_chunk()
        assert (await stage.request_async(mode, do=["request_headers release", stream(200)])).status == 200
        assert await connection.read_chunk() == b"third"
        assert await connection.read_chunk() == b""
        connection.close()

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize("first", ["", "at once"])
def test_time_between_pieces_is_not_limited(stage, first):
    """message_timeout is 0.2 s: it is for the head only."""
    do = [stream(chunks=[first, "late"], delay=500)]
    response = stage.request("impatient", do=do)
    assert (response.status, response.body) == (200, first.encode() + b"late")


def test_large(stage):
    chunk = "0123456789abcdef" * 512  # a request header's size is limited
    response = stage.request("none", do=[stream(chunks=[chunk] * 5)])
    assert response.body == chunk.encode() * 5


def test_it_goes_through_the_filters_in_front(stage):
    """Their response handlers see it as any other response."""
    do = [stream(chunks=["a", "b", "c"], trailers=[["x-sum", "9"]])]
    response = stage.request("behind", do=do, headers=[("x-do-bodies", "response_body upper")])
    assert (response.status, response.body) == (200, b"ABC")
    assert dict(response.trailers) == {"x-sum": b"9", "x-response-trailers": b"seen"}


def test_a_caller_that_speaks_grpc(stage):
    """Over HTTP/2, with the status in trailers: a whole gRPC method in a filter."""
    frames = [f"\0\0\0\0{chr(len(text))}{text}" for text in ("hello", "world!")]
    script = stream(headers=[["content-type", "application/grpc"]], chunks=frames, trailers=[["grpc-status", "0"], ["x-sum", "11"]])
    with grpc.insecure_channel(f"127.0.0.1:{stage.ports['duplex']}") as channel:
        call = channel.unary_stream("/a.Service/Method")(b"request", metadata=[("x-do", script)], timeout=10)
        assert list(call) == [b"hello", b"world!"]
        assert dict(call.trailing_metadata())["x-sum"] == "11"


def test_no_illegal_answer_was_given(stage):
    counters = stage.envoy.stats(r"ext_proc\..*(spurious_msgs_received|message_timeouts|streams_failed)$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}
