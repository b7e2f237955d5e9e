"""Handlers that take longer than Envoy's message_timeout: more time is asked for, or a fallback sent."""

import asyncio

import pytest

from harness.envoy_config import Mode
from harness.lab import DUPLEX, PARTIAL, STREAMED, WITH_TRAILERS
from harness.stage import Site, Stage
from harness.test_server import TestServer

PHASES = ("request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers")
EVERY_PHASE = {
    "method": "POST",
    "body": [b"request ", b"body"],
    "trailers": [("up", "1")],
    "headers": [("x-reply-trailer", "down: 1")],
}
# Wide enough for a machine that does other things too.
TIMEOUT = "0.4s"
LONG = 800
MODES = {"buffered": WITH_TRAILERS, "streamed": STREAMED}
EXTENDED = {"max_message_timeout": "5s"}


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    extended = {"message_timeout": 400, "max_message_timeout": 5000}
    servers = {
        "Plain": TestServer(launcher, "AsyncScripted", message_timeout=400),
        "Extended": TestServer(launcher, "AsyncScripted", **extended),
        "Blocking": TestServer(launcher, "BlockingScripted", **extended),
        "BlockingPlain": TestServer(launcher, "BlockingScripted", message_timeout=400),
        "Bodies": TestServer(launcher, "Bodies", **extended),
        "BodiesPlain": TestServer(launcher, "Bodies", message_timeout=400),
    }
    sites = []
    for name, mode in MODES.items():
        for server in ("Extended", "Blocking", "Bodies"):
            sites.append(Site(f"{server}_{name}", (server,), mode, message_timeout=TIMEOUT, extra=EXTENDED))
        for server in ("Plain", "BlockingPlain", "BodiesPlain"):
            sites.append(Site(f"{server}_{name}", (server,), mode, message_timeout=TIMEOUT))
        sites.append(Site(f"open_{name}", ("Plain",), mode, failure_mode_allow=True, message_timeout=TIMEOUT))
        # The processor asks for more time, and the filter does not grant it.
        sites.append(Site(f"refused_{name}", ("Extended",), mode, message_timeout=TIMEOUT))
    sites.append(Site("Bodies_partial", ("Bodies",), PARTIAL, message_timeout=TIMEOUT, extra=EXTENDED))
    sites.append(Site("BodiesPlain_partial", ("BodiesPlain",), PARTIAL, message_timeout=TIMEOUT))
    sites.append(Site("BodiesPlain_duplex", ("BodiesPlain",), DUPLEX, message_timeout=TIMEOUT))
    sites.append(Site("observed", ("Plain",), STREAMED, message_timeout=TIMEOUT, extra={"observability_mode": True}))
    sites.append(Site("short", ("Plain",), Mode(request_body="NONE", response_body="NONE"), message_timeout=TIMEOUT))
    return Stage(launcher, servers, sites, raw_port)


def all_at_once(stage: Stage, site: str, actions: dict[str, list[str]]) -> dict:
    """A request with every phase for each of these lists of actions."""

    async def run() -> list:
        return await asyncio.gather(*(stage.request_async(site, do=do, **EVERY_PHASE) for do in actions.values()))

    return dict(zip(actions, asyncio.run(run()), strict=True))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("server", ["Extended", "Blocking"])
def test_more_time_is_asked_for(stage, server, mode):
    before = stage.servers[server].stats()["time_extensions"]
    responses = all_at_once(stage, f"{server}_{mode}", {phase: [f"{phase} sleep {LONG}"] for phase in PHASES})
    assert {phase: (response.status, response.body) for phase, response in responses.items()} == {
        phase: (200, b"request body") for phase in PHASES
    }
    assert stage.servers[server].stats()["time_extensions"] - before >= len(PHASES)
    assert "message_timeouts" not in stage.counters(f"{server}_{mode}")


def test_more_time_for_several_messages_of_one_stream(stage):
    do = [f"{phase} sleep 500" for phase in PHASES] + ["response_headers set x-done=1"]

    async def run() -> list:
        return await asyncio.gather(*(stage.request_async(f"Extended_{mode}", do=do, **EVERY_PHASE) for mode in MODES))

    for response in asyncio.run(run()):
        assert (response.status, response.body, response.get("x-done")) == (200, b"request body", "1")


@pytest.mark.parametrize("mode", MODES)
def test_without_more_time(stage, mode):
    """Envoy gives up: it fails the request, or lets it go on."""
    actions = {phase: [f"{phase} sleep {LONG}"] for phase in PHASES}
    late = all_at_once(stage, f"Plain_{mode}", {phase: actions[phase] for phase in PHASES if phase != "response_trailers"})
    # In STREAMED mode the response is on its way when its body is late, so that it is reset.
    statuses = {phase: response.status for phase, response in late.items()}
    assert set(statuses.values()) == {504}
    assert stage.counters(f"Plain_{mode}")["message_timeouts"] >= len(late)

    passed = all_at_once(stage, f"open_{mode}", actions)
    assert {(response.status, response.body) for response in passed.values()} == {(200, b"request body")}
    assert stage.counters(f"open_{mode}")["failure_mode_allowed"] >= len(passed)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("server", ["Plain", "BlockingPlain", "Extended", "refused"])
def test_fallback_that_answers_the_caller(stage, server, mode):
    phases = [phase for phase in PHASES if mode == "buffered" or phase in ("request_headers", "request_body", "response_headers")]
    actions = {phase: [f"{phase} fall_back 100 503 too slow", f"{phase} sleep {LONG}"] for phase in phases}
    responses = all_at_once(stage, f"{server}_{mode}", actions)
    assert {phase: (response.status, response.body) for phase, response in responses.items()} == {
        phase: (503, b"too slow") for phase in phases
    }
    assert {response.get("x-from") for response in responses.values()} == {"fallback"}
    assert {response.get("x-ext-procs-applied") is not None for response in responses.values()} == {True}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("server", ["Plain", "BlockingPlain", "Extended"])
def test_fallback_that_lets_the_request_go_on(stage, server, mode):
    actions = {
        phase: [f"{phase} set x-lost=1", f"{phase} fall_back 100", f"{phase} sleep {LONG}", f"{phase} throw lost"] for phase in PHASES
    }
    responses = all_at_once(stage, f"{server}_{mode}", actions)
    for phase, response in responses.items():
        assert (phase, response.status, response.body) == (phase, 200, b"request body")
        assert response.get("x-lost") is None
        assert response.get("x-ext-procs-applied") is not None


@pytest.mark.parametrize("mode", MODES)
def test_fallback_in_every_phase_of_one_stream(stage, mode):
    do = [line for phase in PHASES for line in (f"{phase} fall_back 100", f"{phase} sleep {LONG}")]
    response = stage.request(f"Plain_{mode}", do=do, **EVERY_PHASE)
    assert (response.status, response.body) == (200, b"request body")


@pytest.mark.parametrize("server", ["Plain", "BlockingPlain"])
def test_fallback_comes_before_envoy_gives_up_however_late_it_is_asked_for(stage, server):
    """Where Envoy cannot be asked for more time, it comes in time for message_timeout."""
    do = ["request_headers fall_back 10000 503 too slow", f"request_headers sleep {LONG}"]
    assert stage.request(f"{server}_buffered", do=do, **EVERY_PHASE).status == 503


def test_fallback_later_than_message_timeout(stage):
    """Where Envoy grants more time, the handler has it."""
    do = ["request_headers fall_back 3000 503 too slow", f"request_headers sleep {LONG}", "request_headers set x-up=1"]
    response = stage.request("Extended_buffered", "POST", do=do, body=b"body", headers=[("x-reply-request-header", "x-up")])
    assert (response.status, response.get("x-up")) == (200, "1")


def test_fallback_that_was_not_needed(stage):
    before = stage.servers["Plain"].stats()["fallbacks"]
    for _ in range(20):
        do = ["request_headers fall_back 200 503 too slow", "request_headers sleep 1", "request_headers set x-up=1"]
        response = stage.request("short", do=do, headers=[("x-reply-request-header", "x-up")])
        assert (response.status, response.get("x-up")) == (200, "1")
    assert stage.servers["Plain"].stats()["fallbacks"] == before


def test_late_handlers_are_counted_and_logged_once(stage):
    server = stage.servers["Plain"]
    server.process.wait_for_log("answered_too_late")
    assert len(server.lines("answered_too_late")) == 1
    assert server.stats()["fallbacks"] >= 2


def test_observed_handlers_take_their_time(stage):
    response = stage.request("observed", do=[f"{phase} sleep {LONG}" for phase in PHASES[:2]], **EVERY_PHASE)
    assert (response.status, response.body) == (200, b"request body")


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("site", ["Bodies_buffered", "Bodies_partial", "Bodies_streamed"])
def test_more_time_for_a_handler_over_a_whole_body(stage, site, direction):
    headers = [("x-do-bodies", f"{direction}_body slow {LONG}")]
    response = stage.request(site, "POST", headers=headers, body=b"body")
    assert (response.status, response.body) == (200, b"body")


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("mode", ["buffered", "partial", "streamed", "duplex"])
def test_fallback_of_a_handler_over_a_whole_body(stage, mode, direction):
    """What it has not answered, and all that follows, passes unchanged, trailers too."""
    actions = [f"{direction}_body slow {LONG}", f"{direction}_body fall_back 100"]
    headers = [("x-do-bodies", action) for action in actions] + [("x-reply-trailer", "down: 1")]
    body = [b"first ", b"second ", b"third"]
    response = stage.request(f"BodiesPlain_{mode}", "POST", headers=headers, body=body, trailers=[("up", "1")])
    assert (response.status, response.body) == (200, b"first second third")
    assert ("down", b"1") in response.trailers


@pytest.mark.parametrize("mode", ["buffered", "partial", "streamed", "duplex"])
def test_fallback_of_a_handler_over_a_whole_body_that_answers_the_caller(stage, mode):
    actions = [f"request_body slow {LONG}", "request_body fall_back 100 503 too slow"]
    headers = [("x-do-bodies", action) for action in actions]
    response = stage.request(f"BodiesPlain_{mode}", "POST", headers=headers, body=[b"first ", b"second"])
    assert (response.status, response.body) == (503, b"too slow")


def test_a_handler_that_never_returns_in_time_makes_no_later_message_late(stage):
    """One that blocks cannot be told to stop: the request's other messages pass without it."""
    before = stage.servers["BlockingPlain"].stats()["fallbacks"]
    do = ["request_headers fall_back 100", "request_headers sleep 3000", "response_headers set x-lost=1"]
    response = stage.request("BlockingPlain_buffered", do=do, **EVERY_PHASE)
    assert (response.status, response.body, response.get("x-lost")) == (200, b"request body", None)
    assert response.get("x-ext-procs-applied") is not None
    assert stage.servers["BlockingPlain"].stats()["fallbacks"] == before + 2
