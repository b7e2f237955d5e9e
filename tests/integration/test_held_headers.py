"""Headers that the body decides, behind a real Envoy with its own buffer limits."""

import asyncio
import json

import pytest

from harness import http
from harness.envoy_config import Cluster, Mode
from harness.extproc import Extproc
from harness.processes import eventually
from harness.stage import Site, Stage
from harness.test_server import TestServer

MODELS = ("small", "large")
WITHOUT_WAITING = {"send_body_without_waiting_for_header_response": True}


def _mode(body: str) -> Mode:
    return Mode(request_body=body, response_body="NONE", request_trailer="SEND")


def _sites(processor: str) -> list[Site]:
    """`large` has a cluster of its own, which the request's header chooses."""
    match = {"prefix": "/", "headers": [{"name": "x-model", "string_match": {"exact": "large"}}]}
    routes = ({"name": "large", "match": match, "route": {"cluster": "large", "timeout": "60s"}},)
    modes = {
        "duplex": (_mode("FULL_DUPLEX_STREAMED"), {}),
        "ahead": (_mode("STREAMED"), WITHOUT_WAITING),
        "buffered": (_mode("BUFFERED"), {}),
        "streamed": (_mode("STREAMED"), {}),
    }
    return [Site(f"{processor}_{name}", (processor,), mode, extra=extra, routes=routes) for name, (mode, extra) in modes.items()]


@pytest.fixture(scope="module")
def servers(launcher) -> dict:
    return {
        "RouteByModel": Extproc(launcher, "streaming.RouteByModel"),
        "Bodies": TestServer(launcher, "Bodies", held_bytes="100000", held_time="400"),
    }


@pytest.fixture(scope="module")
def stage(launcher, servers, raw_port) -> Stage:
    sites = [site for name in servers for site in _sites(name)]
    large = Cluster("large", (raw_port,), http2=False)
    return Stage(launcher, servers, sites, raw_port, {"cluster": "%UPSTREAM_CLUSTER%"}, clusters=(large,))


def _chat(model: str, size: int) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": "x" * size}], "model": model}).encode()


def _post(stage: Stage, site: str, body: bytes, **parts):
    """The response, and the cluster that gave it."""
    response, logged = stage.logged(site, "POST", body=body, headers=[("x-reply-request-header", "x-model"), *parts.pop("headers", [])], **parts)
    return response, logged["cluster"]


@pytest.mark.parametrize("trailers", (None, [("x-t", b"1")]))
@pytest.mark.parametrize("model", MODELS)
def test_three_megabytes_are_routed_by_what_stands_at_their_end(stage, model, trailers):
    body = _chat(model, 3_000_000)
    response, cluster = _post(stage, "RouteByModel_duplex", body, trailers=trailers)
    assert (response.status, response.get("x-model")) == (200, model)
    assert response.body == body
    assert cluster == ("large" if model == "large" else "upstream")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("site", ("duplex", "ahead", "buffered"))
def test_the_same_handler_is_right_in_other_modes(stage, site, model):
    body = _chat(model, 20_000)
    response, cluster = _post(stage, f"RouteByModel_{site}", body)
    assert (response.status, response.get("x-model"), response.body) == (200, model, body)
    assert cluster == ("large" if model == "large" else "upstream")


@pytest.mark.parametrize("site", ("duplex", "ahead", "buffered"))
def test_the_body_can_be_refused(stage, site):
    response, _ = _post(stage, f"RouteByModel_{site}", b"no JSON")
    assert (response.status, response.body) == (400, b"no model\n")


def test_over_the_limit_the_processor_answers_for_itself(stage):
    response, _ = _post(stage, "RouteByModel_duplex", _chat("large", 5_000_000))
    assert (response.status, response.body) == (413, b"too large, or too slow\n")


def test_a_mode_in_which_nothing_waits_is_told(stage, servers):
    body = _chat("large", 20_000)
    response, cluster = _post(stage, "RouteByModel_streamed", body)
    assert (response.status, response.get("x-model"), cluster) == (200, None, "upstream")
    assert response.body == body
    assert servers["RouteByModel"].lines("body_not_awaited")


def test_over_the_limit_all_goes_on_unchanged(stage, servers):
    """The handler would decide by what stands at the end."""
    body = b"x" * 2_000_000 + b"!"
    wanted = [("x-do-bodies", "request_headers wait_for_body"), ("x-do-bodies", "request_body decide !")]
    response, cluster = _post(stage, "Bodies_duplex", body, headers=wanted)
    assert (response.status, response.body == body, cluster) == (200, True, "upstream")
    assert servers["Bodies"].lines("body_awaited_too_long")


def test_a_caller_that_is_too_slow_is_not_waited_for(stage, servers):
    wanted = [("x-do-bodies", "request_headers wait_for_body"), ("x-do-bodies", "request_body decide !")]

    async def play() -> http.Response:
        connection = await http.Connection.open(stage.ports["Bodies_duplex"])
        await connection.open_chunked("POST", "/", wanted)
        await connection.write_chunk(b"one")
        # The response comes of what was sent, once the request has gone on.
        await asyncio.to_thread(eventually, lambda: late() > before, "the end of held_time")
        await connection.write_chunk(b"two!")
        await connection.end_chunked()
        return await connection.read_response("POST")

    def late() -> int:
        return servers["Bodies"].stats()["fallbacks"]

    before = late()
    response = asyncio.run(play())
    assert (response.status, response.body) == (200, b"onetwo!")
