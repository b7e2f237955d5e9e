"""Processors inside Envoy: bodies, trailers, answers of their own, failures and waiting handlers."""

import asyncio
import json

import pytest

from harness import http
from harness.envoy_config import Listener, Mode, json_access_log, set_metadata
from harness.inside import Inside, InsideLab, envoy_with
from harness.lab import STYLES
from harness.processes import eventually, free_port

BODY_MODES = ("buffered", "streamed", "partial")
OVER_THE_BUFFER = 3 << 20


@pytest.fixture(scope="module")
def inside(launcher, raw_port) -> InsideLab:
    return InsideLab(launcher, raw_port)


@pytest.mark.parametrize("style", STYLES)
def test_headers(inside, style):
    headers = [("x-reply-header", line) for line in ("x-a: 1", "x-b: 1", "x-c: 1")]
    do = ["response_headers set x-a=new", "response_headers append x-b=2", "response_headers remove x-c"]
    response = inside.request(style, "buffered", headers=headers, do=do)
    assert [response.all(name) for name in ("x-a", "x-b", "x-c")] == [[b"new"], [b"1", b"2"], []]


@pytest.mark.parametrize("setup", BODY_MODES)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("body", [b"small", [b"one", b"two", b"three"], b"b" * 100_000], ids=["small", "chunks", "large"])
def test_bodies_go_through(inside, style, setup, body):
    response = inside.request(style, setup, "POST", body=body)
    assert response.status == 200
    assert response.body == (body if isinstance(body, bytes) else b"".join(body))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", ["request_body", "response_body"])
@pytest.mark.parametrize("setup", ["buffered", "streamed", "partial"])
def test_bodies_are_replaced(inside, style, phase, setup):
    response = inside.request(style, setup, "POST", do=[f"{phase} sleep 5", f"{phase} replace new"], body=b"original")
    # A streamed body may end with a chunk in which there is nothing.
    assert (response.status, set(response.body.split(b"new"))) == (200, {b""})


@pytest.mark.parametrize("phase", ["request_body", "response_body"])
def test_a_whole_body_is_replaced_once(inside, phase):
    assert inside.request("Scripted", "buffered", "POST", do=[f"{phase} replace new"], body=b"original").body == b"new"


def test_a_streamed_body_larger_than_the_buffer(inside):
    body = b"0123456789abcdef" * (OVER_THE_BUFFER // 16)
    assert inside.request("Scripted", "streamed", "POST", body=body).body == body


def test_a_buffered_body_larger_than_the_buffer(inside):
    assert inside.request("Scripted", "buffered", "POST", body=b"b" * OVER_THE_BUFFER).status == 413


@pytest.mark.parametrize("style", STYLES)
def test_trailers(inside, style):
    do = ["request_trailers set x-up=1", "response_trailers set x-down=2", "response_trailers remove x-gone"]
    headers = [("x-reply-request-trailer", "x-up"), ("x-reply-trailer", "x-gone: 1")]
    response = inside.request(style, "closed", "POST", do=do, headers=headers, body=b"body", trailers=[("x-t", "1")])
    assert response.status == 200
    assert ("x-down", b"2") in response.trailers
    assert "x-gone" not in dict(response.trailers)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", ["request_headers", "request_body", "response_headers", "response_body"])
def test_an_answer_of_its_own(inside, style, phase):
    do = [f"{phase} sleep 2", f"{phase} respond 418 short and stout"]
    response = inside.request(style, "buffered", "POST", do=do, body=b"body")
    assert (response.status, response.body) == (418, b"short and stout")


@pytest.mark.parametrize("phase,status", [("request_headers", "7"), ("response_headers", "7")])
def test_callers_of_grpc_get_the_right_status(inside, phase, status):
    headers = [("content-type", "application/grpc"), ("te", "trailers")]
    response = inside.request("Scripted", "headers_only", "POST", do=[f"{phase} respond 403 denied"], headers=headers)
    assert (response.status, response.get("grpc-status"), response.get("grpc-message")) == (200, status, "denied")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", ["request_headers", "request_body", "response_headers"])
def test_failures(inside, style, phase):
    do = [f"{phase} throw on purpose"]
    assert inside.request(style, "closed", "POST", do=do, body=b"body").status == 500
    response = inside.request(style, "open", "POST", do=do, body=b"body")
    assert (response.status, response.body) == (200, b"body")


@pytest.mark.parametrize("style", STYLES)
def test_who_looks_on_changes_nothing_and_holds_nothing_up(inside, style):
    do = ["request_headers set x-up=1", "request_headers sleep 50", "response_headers respond 418 no"]
    response = inside.request(style, "observed", "POST", do=do, headers=[("x-reply-request-header", "x-up")], body=b"body")
    assert (response.status, response.body, response.get("x-up")) == (200, b"body", None)


@pytest.mark.parametrize("style", ["AsyncScripted", "BlockingScripted"])
def test_waiting_handlers_hold_no_other_request_up(inside, style):
    async def many() -> float:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        do = ["request_headers sleep 300"]
        answers = await asyncio.gather(*(inside.request_async(style, "headers_only", do=do) for _ in range(12)))
        assert {answer.status for answer in answers} == {200}
        return loop.time() - begin

    assert asyncio.run(many()) < 2.4


def test_continue_and_replace(inside):
    for phase in ("request_headers", "response_headers"):
        do = [f"{phase} continue_and_replace new body", f"{phase} set x-new=1"]
        response = inside.request("Scripted", "buffered", "POST", do=do, body=b"original")
        assert (response.status, response.body) == (200, b"new body")


def test_what_envoys_rules_forbid_is_left_out_and_told(inside):
    do = ["request_headers set x-envoy-mine=1", "request_headers set :scheme=https", "response_headers unhex x-bad=610d0a62"]
    headers = [("x-reply-request-header", "x-envoy-mine")]
    response = inside.request("Scripted", "headers_only", do=do, headers=headers)
    assert (response.status, response.get("x-envoy-mine"), response.get("x-bad")) == (200, None, None)
    for rule in ("header_denied", "header_invalid"):
        eventually(lambda rule=rule: rule in inside.envoy.process.log(), f"{rule} in Envoy's log")


def test_a_mode_override(inside):
    do = ["request_headers mode request_body=BUFFERED", "request_body replace new"]
    response = inside.request("Scripted", "headers_only", "POST", do=do, body=b"original")
    assert (response.status, response.body) == (200, b"new")


@pytest.fixture(scope="module")
def told(launcher, raw_port, tmp_path_factory):
    """A filter that is told of attributes and metadata, and what Envoy logs."""
    log = tmp_path_factory.mktemp("access") / "log"
    inside = Inside(
        ("test_processors.Scripted",),
        Mode(request_body="NONE", response_body="NONE"),
        extra={
            "request_attributes": ["request.path", "source.address", "connection.id"],
            "metadata_options": {"forwarding_namespaces": {"untyped": ["lab.in"]}},
        },
    )
    port = free_port()
    listener = Listener(
        "http",
        port,
        (inside,),
        before=(set_metadata("lab.in", {"tenant": "blue", "score": 0.5, "trusted": True}),),
        access_log=json_access_log(log, {"out": "%DYNAMIC_METADATA(lab.out)%"}),
    )
    envoy = envoy_with(launcher, [listener], raw_port)
    return port, log, envoy


def test_attributes(told):
    response = http.request(told[0], "GET", "/a/path?b=c", headers=[("x-do", "response_headers attribute request.path")])
    assert response.status == 200
    assert response.get("x-attribute-request.path") == '"/a/path?b=c"'


def test_metadata_both_ways(told):
    port, log, _ = told
    do = ["response_headers metadata lab.in", "request_headers emit lab.out {\"k\": {\"n\": 1}}"]
    response = http.request(port, "GET", "/", headers=[("x-do", action) for action in do])
    assert response.status == 200
    assert json.loads(response.get("x-metadata-lab.in")) == {"tenant": "blue", "score": 0.5, "trusted": True}
    eventually(lambda: log.exists() and '"k"' in log.read_text(), "metadata in the access log")
