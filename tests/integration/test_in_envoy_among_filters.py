"""Processors inside Envoy beside other filters of a listener, which keep bodies where Envoy keeps them for all, and in chains."""

from dataclasses import dataclass

import pytest

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Listener, Mode
from harness.inside import Inside, envoy_with
from harness.processes import eventually, free_port

BODY_MODES = ("BUFFERED", "BUFFERED_PARTIAL", "STREAMED")
BODY = b"0123456789" * 50
_BUFFER = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer"
_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
_FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
HOLDS_REQUESTS = """
function envoy_on_request(handle) handle:body() end
"""
HOLDS_RESPONSES = """
function envoy_on_response(handle) handle:body() end
"""


@dataclass(frozen=True)
class Other:
    """A filter of Envoy's own."""

    name: str
    config: dict

    def to_json(self) -> dict:
        return {"name": self.name, "typed_config": self.config}


BUFFER = Other("buffer", {"@type": _BUFFER, "max_request_bytes": 1 << 20})
LUA = Other("lua", {"@type": _LUA, "default_source_code": {"inline_string": HOLDS_REQUESTS}})
# It stops for a time, and goes on of itself.
FAULT = Other("fault", {"@type": _FAULT, "delay": {"fixed_delay": "0.05s", "percentage": {"numerator": 100}}})
SLOW_FAULT = Other("fault", {"@type": _FAULT, "delay": {"fixed_delay": "1s", "percentage": {"numerator": 100}}})
LUA_OF_RESPONSES = Other("lua-of-responses", {"@type": _LUA, "default_source_code": {"inline_string": HOLDS_RESPONSES}})
# Its headers wait, and bodies with them.
WAITS = Inside(("test_processors.AsyncScripted",), Mode(request_body="NONE", response_body="NONE"), name="waits")


def scripted(mode: str, *processors: str) -> Inside:
    return Inside(tuple(f"test_processors.{name}" for name in processors), Mode(request_body=mode, response_body=mode))


FILTERS = {
    **{("buffer", mode): (BUFFER, scripted(mode, "AsyncScripted")) for mode in BODY_MODES},
    **{("lua", mode): (LUA, scripted(mode, "AsyncScripted")) for mode in BODY_MODES},
    **{("lua of responses", mode): (scripted(mode, "AsyncScripted"), LUA_OF_RESPONSES) for mode in BODY_MODES},
    **{("waits", mode): (WAITS, scripted(mode, "AsyncScripted")) for mode in BODY_MODES},
    **{("around", mode): (LUA, LUA_OF_RESPONSES, WAITS, scripted(mode, "BlockingScripted"), LUA_OF_RESPONSES) for mode in ("BUFFERED",)},
    **{("before buffer", mode): (scripted(mode, "AsyncScripted"), BUFFER) for mode in BODY_MODES},
    **{("before lua", mode): (scripted(mode, "AsyncScripted"), LUA) for mode in BODY_MODES},
    **{("before fault", mode): (scripted(mode, "AsyncScripted"), FAULT) for mode in ("STREAMED",)},
    **{("before slow fault", mode): (scripted(mode, "AsyncScripted"), SLOW_FAULT) for mode in ("STREAMED",)},
    **{("alone", mode): (scripted(mode, "AsyncScripted"),) for mode in BODY_MODES},
    **{("chain", mode): (scripted(mode, "AsyncScripted", "BlockingScripted"),) for mode in BODY_MODES},
    **{("blocking chain", mode): (scripted(mode, "Scripted", "BlockingScripted"),) for mode in BODY_MODES},
}


RETRIES = {
    "match": {"prefix": "/retried"},
    "route": {
        "cluster": "upstream",
        "retry_policy": {"retry_on": "retriable-headers", "retriable_headers": [{"name": "x-again"}], "num_retries": 1},
    },
}


PORTS: dict[tuple[str, str], int] = {}


@pytest.fixture(scope="module")
def envoy(launcher, raw_port) -> Envoy:
    PORTS.update({setup: free_port() for setup in FILTERS})
    listeners = [Listener("-".join(setup), PORTS[setup], filters, routes=(RETRIES,)) for setup, filters in FILTERS.items()]
    return envoy_with(launcher, listeners, raw_port)


@pytest.fixture(scope="module")
def ports(envoy) -> dict[tuple[str, str], int]:
    return PORTS


def ask(port: int, *do: str, body=BODY, path="/lab", headers=()):
    return http.request(port, "POST", path, body=body, headers=[*headers, *(("x-do", action) for action in do)])


@pytest.mark.parametrize("body", [BODY, [b"one", b"two", b"three"], b"b" * 700_000], ids=["small", "chunks", "large"])
@pytest.mark.parametrize("setup", [setup for setup in FILTERS if setup[0] in ("buffer", "lua", "lua of responses", "waits", "around", "chain", "blocking chain")], ids="-".join)
def test_a_body_that_others_have_held_goes_on_as_it_is(ports, setup, body):
    whole = body if isinstance(body, bytes) else b"".join(body)
    for do in ([], ["request_body sleep 5"], ["request_headers sleep 20"], ["response_headers sleep 20", "response_body sleep 5"]):
        response = ask(ports[setup], *do, body=body)
        assert (response.status, response.body == whole, len(response.body)) == (200, True, len(whole)), do


@pytest.mark.parametrize("setup", [setup for setup in FILTERS if setup[1] == "BUFFERED"], ids="-".join)
def test_a_whole_body_is_told_once(ports, setup):
    sizes = ask(ports[setup], "request_headers sleep 10", "response_body size", "request_body replace new!", body=[b"a" * 300] * 3)
    assert (sizes.status, sizes.body, sizes.get("x-size")) == (200, b"new!", "4")
    assert ask(ports[setup], "response_headers sleep 10", "response_body replace other").body == b"other"


@pytest.mark.parametrize("setup", [("chain", mode) for mode in BODY_MODES] + [("blocking chain", mode) for mode in BODY_MODES], ids="-".join)
def test_a_chain_changes_and_keeps_bodies(ports, setup):
    response = ask(ports[setup], "response_body sleep 5", "response_body replace REDACTED", body=b"secret")
    assert set(response.body.split(b"REDACTED")) == {b""}
    assert b"secret" not in response.body


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize(
    ("holder", "do"),
    [
        # It counts what it is shown, and is shown again what it holds where something waits in front of it.
        ("before buffer", []),
        ("before lua", []),
        ("before lua", ["request_body sleep 5"]),
        ("before lua", ["request_headers sleep 20", "request_body sleep 2"]),
    ],
)
def test_a_filter_behind_holds_what_has_gone_on(ports, holder, mode, do):
    """Envoy keeps bodies for all filters in one place."""
    for body in ([b"one", b"two", b"three"], BODY, [b"c" * 20_000] * 20):
        whole = body if isinstance(body, bytes) else b"".join(body)
        response = ask(ports[holder, mode], *do, body=body)
        assert (response.status, response.body == whole, len(response.body)) == (200, True, len(whole))


@pytest.mark.parametrize("sleep", [1, 5, 15])
def test_nothing_overtakes_where_a_filter_behind_goes_on_of_itself(ports, sleep):
    """It lets all go that Envoy keeps."""
    for sent in ([b"%03d" % number for number in range(60)], [b"%03d" % number * 3_000 for number in range(40)], [b"%03d" % number * 20_000 for number in range(50)]):
        response = ask(ports["before fault", "STREAMED"], f"request_body sleep {sleep}", body=sent)
        assert (response.status, response.body == b"".join(sent)) == (200, True)


def test_a_length_that_is_none_fails(envoy, ports):
    """`buffer` counts what it holds each time that it is shown it."""
    response = ask(ports["before buffer", "STREAMED"], "request_body sleep 5", body=[b"one", b"two", b"three"])
    assert (response.status, response.body) == (500, b"")
    assert "has counted a body twice" in envoy.process.log()
    response = ask(ports["before buffer", "STREAMED"], "request_body sleep 5", body=BODY)
    assert (response.status, response.body) == (200, BODY)


def test_what_would_go_by_unseen_fails(envoy, ports):
    """More waits than the filter keeps, so that it lies with Envoy when the filter behind goes on."""
    do = ("request_body sleep 3000", "request_body replace seen")
    response = ask(ports["before slow fault", "STREAMED"], *do, body=[b"u" * 500_000] * 20)
    assert (response.status, response.body) == (500, b"")
    assert "let go of a body that waits here" in envoy.process.log()


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize("setup", ["alone", "chain", "waits"])
@pytest.mark.parametrize("do", [[], ["request_body sleep 5"], ["request_headers sleep 20", "request_body sleep 2"]], ids=len)
def test_a_request_that_is_tried_again_has_all_of_its_body(envoy, setup, mode, do):
    """The router keeps what has gone on, where other filters keep what has not."""
    for body in ([b"one", b"two", b"three"], [b"c" * 20_000] * 20):
        before = _retries(envoy)
        response = ask(PORTS[setup, mode], *do, body=body, path="/retried", headers=[("x-reply-header", "x-again: 1")])
        assert (response.status, len(response.body), response.body == b"".join(body)) == (200, len(b"".join(body)), True)
        eventually(lambda before=before: _retries(envoy) == before + 1, "it is tried again")


def _retries(envoy: Envoy) -> int:
    return envoy.stats(r"^cluster\.upstream\.upstream_rq_retry$")["cluster.upstream.upstream_rq_retry"]
