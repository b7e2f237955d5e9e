"""What Envoy does with answers that break its rules, and that the server says so: once in its log, each time in a counter."""

import json

import pytest

from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.lab import DUPLEX, STREAMED, WITH_TRAILERS
from harness.stage import Site, Stage
from harness.test_server import TestServer

EVERY_PHASE = {"method": "POST", "body": b"request body", "trailers": [("up", "1")]}
DOWN = [("x-reply-trailer", "down: 1")]
OTHER_ROUTE = {
    "name": "other",
    "match": {"prefix": "/", "headers": [{"name": "x-route", "string_match": {"exact": "other"}}]},
    "route": {"cluster": "upstream"},
}
INVALID_SET = "header_mutation_set_contains_invalid_character"
TOO_MANY = "header_mutation_operation_count_exceeds_limit"
ALLOW_ALL = {"mutation_rules": {"allow_all_routing": True, "allow_envoy": True}}
PHASES = ("request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers")


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {
        "Rules": TestServer(launcher, "Scripted"),
        "Allowed": TestServer(launcher, "Scripted", allow_all_routing="on", allow_envoy="on"),
        "Late": TestServer(launcher, "AsyncScripted"),
    }
    sites = [
        Site("closed", ("Rules",), WITH_TRAILERS, routes=(OTHER_ROUTE,)),
        Site("open", ("Rules",), WITH_TRAILERS, failure_mode_allow=True),
        Site("strict", ("Rules",), WITH_TRAILERS, extra={"mutation_rules": {"disallow_is_error": True}}),
        Site("streamed", ("Rules",), STREAMED, routes=(OTHER_ROUTE,)),
        Site("eager", ("Rules",), STREAMED, extra={"send_body_without_waiting_for_header_response": True}),
        Site("duplex", ("Rules",), DUPLEX),
        Site("headers", ("Rules",), Mode(request_body="NONE", response_body="NONE")),
        Site("allowed", ("Allowed",), WITH_TRAILERS, extra=ALLOW_ALL),
        Site("streamed_late", ("Late",), STREAMED),
        Site("no_bodies", ("Late",), Mode(request_body="NONE", response_body="NONE")),
    ]
    return Stage(launcher, servers, sites, raw_port)


@pytest.fixture
def broken(stage):
    """Checks that a rule was broken while the test ran, and has been logged once at most, or once for each header."""
    before = {name: server.stats()["misused_answers"] for name, server in stage.servers.items()}

    def check(rule: str, server: str = "Rules", times: int | None = None) -> None:
        count = stage.servers[server].stats()["misused_answers"] - before[server]
        assert count > 0 if times is None else count == times
        stage.servers[server].process.wait_for_log(f": {rule}")
        logged = [line.partition(f": {rule}")[2] for line in stage.servers[server].lines(f": {rule}")]
        assert len(logged) == len(set(logged))
        assert len(logged) == 1 or rule.startswith("header_")

    return check


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("site", ["closed", "open"])
@pytest.mark.parametrize("value", [b"a\nb", b"a\rb", b"a\0b", b"a\x01b", b"a\x7fb"], ids=["LF", "CR", "NUL", "control", "DEL"])
def test_characters_that_http_does_not_allow(stage, broken, phase, site, value):
    """Envoy fails the request, even where the filter fails open."""
    response, entry = stage.logged(site, do=[f"{phase} unhex x-bad={value.hex()}"], headers=DOWN, **EVERY_PHASE)
    assert (response.status, entry["details"]) == (500, INVALID_SET)
    broken("header_invalid", times=1)


@pytest.mark.parametrize("name", ["x(bad", "x:bad", 'x"bad'])
def test_names_that_http_does_not_allow(stage, broken, name):
    response, entry = stage.logged("closed", do=[f"request_headers set {name}=1"])
    assert (response.status, entry["details"]) == (500, INVALID_SET)
    response, entry = stage.logged("closed", do=[f"request_headers remove {name}"])
    assert (response.status, entry["details"]) == (500, "header_mutation_remove_contains_invalid_character")
    broken("header_invalid", times=2)


def test_empty_name_is_ignored(stage, broken):
    response = stage.request("closed", do=["request_headers set =1", "response_headers set x-down=1"])
    assert (response.status, response.get("x-down")) == (200, "1")
    broken("header_invalid", times=1)


def test_name_that_is_not_utf_8(stage, broken):
    """It is a `string` of protobuf: Envoy cannot read the message, and failure_mode_allow decides."""
    do = [b"request_headers set x\xe9=1".decode("latin-1")]
    response, entry = stage.logged("closed", do=do)
    assert response.status == 500 and entry["details"].startswith("ext_proc_error_gRPC_error_13")
    assert stage.request("open", do=do).status == 200
    broken("header_invalid", times=2)


@pytest.mark.parametrize("value", [b"a\tb", b"\xff", "smörgås".encode(), b" a "], ids=["tab", "byte", "UTF-8", "spaces"])
def test_characters_that_are_allowed(stage, value):
    before = stage.servers["Rules"].stats()["misused_answers"]
    do = [f"request_headers unhex x-a={value.hex()}", f"response_headers unhex x-b={value.hex()}"]
    response = stage.request("closed", do=do, headers=[("x-reply-request-header", "x-a")])
    assert (response.status, response.all("x-a"), response.all("x-b")) == (200, [value.strip()], [value.strip()])
    assert stage.servers["Rules"].stats()["misused_answers"] == before


@pytest.mark.parametrize("site", ["closed", "open"])
@pytest.mark.parametrize("phase", ["request_headers", "response_headers", "request_body", "response_trailers"])
@pytest.mark.parametrize("operation", ["", "=remove"], ids=["set", "remove"])
def test_more_than_a_hundred(stage, broken, site, phase, operation):
    response, entry = stage.logged(site, do=[f"{phase} many 101{operation}"], headers=DOWN, **EVERY_PHASE)
    assert (response.status, entry["details"]) == (500, TOO_MANY)
    broken("too_many_mutations", times=1)


def test_a_hundred_removes(stage):
    assert stage.request("closed", do=["request_headers many 100=remove"]).status == 200


def test_more_than_a_hundred_in_the_result(stage):
    """This one the server does not look for."""
    headers = [(f"x-{number}", "1") for number in range(80)]
    response, entry = stage.logged("closed", do=["request_headers many 60"], headers=headers)
    assert (response.status, entry["details"]) == (500, "header_mutation_result_exceeds_limit")


@pytest.mark.parametrize(
    ("phase", "action", "rule"),
    [
        ("request_headers", "remove host", "header_not_removable"),
        ("request_headers", "remove :path", "header_not_removable"),
        ("request_headers", "remove :method", "header_not_removable"),
        ("response_headers", "remove :status", "header_not_removable"),
        ("request_headers", "append :path=/more", "header_not_appendable"),
        ("request_headers", "set host=other", "header_denied"),
        ("request_headers", "set :authority=other", "header_denied"),
        ("request_headers", "set :method=PUT", "header_denied"),
        ("request_headers", "set :scheme=https", "header_denied"),
        ("request_headers", "set x-envoy-a=1", "header_denied"),
        ("response_headers", "remove x-envoy-upstream-service-time", "header_denied"),
        ("response_headers", "set x-envoy-a=1", "header_denied"),
    ],
)
def test_header_that_may_not_be_changed(stage, broken, phase, action, rule):
    """Envoy leaves it, or fails the request where the filter says so."""
    names = [("x-reply-request-header", name) for name in ("host", "x-envoy-a")]
    response = stage.request("closed", "POST", do=[f"{phase} {action}"], headers=names, body=b"body")
    assert (response.status, response.body) == (200, b"body")
    assert (response.get("seen-method"), response.get("host"), response.get("x-envoy-a")) == ("POST", "localhost", None)
    assert response.get("x-envoy-upstream-service-time") is not None
    broken(rule, times=1)
    response, entry = stage.logged("strict", "POST", do=[f"{phase} {action}"], body=b"body")
    assert response.status == 500 and entry["details"].startswith("header_mutation_")


def test_headers_that_the_filter_allows(stage):
    do = ["request_headers set host=other", "request_headers set :method=PUT", "request_headers set x-envoy-a=1"]
    names = [("x-reply-request-header", name) for name in ("host", "x-envoy-a")]
    response = stage.request("allowed", "POST", do=do, headers=names, body=b"body")
    assert (response.get("seen-method"), response.get("host"), response.get("x-envoy-a")) == ("PUT", "other", "1")
    assert stage.servers["Allowed"].stats()["misused_answers"] == 0


def reply(phase: str = "request_headers", **members) -> str:
    return f"{phase} reply {json.dumps(members)}"


@pytest.mark.parametrize("status", [99, 0, 100, 199, 600, 999])
def test_status_of_an_immediate_response(stage, broken, status):
    response = stage.request("closed", do=[reply(status=status, body="text")])
    assert (response.status, response.body) == (500, b"text")
    broken("status_invalid", times=1)


@pytest.mark.parametrize(("status", "seen"), [("204", 204), ("700", 700), ("99", 200), ("abc", 200)])
def test_status_that_is_set_on_the_response(stage, status, seen):
    """Envoy takes any number from 200 up, and leaves the response's own otherwise. The server does not look at it."""
    assert stage.request("headers", do=[f"response_headers set :status={status}"]).status == seen


def test_content_length_that_is_set_by_hand(stage, broken):
    response = stage.request("headers", "POST", do=["response_headers set content-length=3"], body=b"body")
    assert response.body == b"body"
    broken("content_length", times=1)


@pytest.mark.parametrize("phase", ["request_headers", "request_body", "response_headers"])
def test_transfer_encoding_that_is_set_by_hand(stage, broken, phase):
    """Were it sent beside the content-length, this body would be the upstream's next request."""
    body = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: e\r\n\r\n"
    response = stage.request("closed", "POST", do=[f"{phase} set transfer-encoding=chunked"], body=body)
    assert (response.status, response.body) == (200, body)
    broken("transfer_encoding", times=1)


def test_headers_of_an_immediate_response(stage, broken):
    """Envoy drops the first that is wrong and all behind it, and answers."""
    headers = [["x-a", "1"], ["x-bad", "a\nb"], ["x-b", "2"]]
    response = stage.request("closed", do=[reply(status=403, headers=headers, body="no")])
    assert (response.status, response.body) == (403, b"no")
    assert (response.get("x-a"), response.get("x-bad"), response.get("x-b")) == ("1", None, None)
    broken("header_invalid", times=1)


def test_denied_header_of_an_immediate_response(stage, broken):
    response = stage.request("closed", do=[reply(status=403, headers=[["x-envoy-a", "1"], ["x-b", "2"]], body="no")])
    assert (response.status, response.get("x-envoy-a"), response.get("x-b")) == (403, None, "2")
    broken("header_denied", times=1)


@pytest.mark.parametrize("site", ["streamed", "eager", "duplex"])
@pytest.mark.parametrize("direction", ["request", "response"])
def test_header_change_in_the_answer_to_a_streamed_body(stage, broken, site, direction):
    do = [f"{direction}_body set x-late=1"]
    response = stage.request(site, "POST", do=do, body=b"body", headers=[("x-reply-request-header", "x-late")])
    assert (response.status, response.body, response.get("x-late")) == (200, b"body", None)
    broken("body_header_mutation")


@pytest.mark.parametrize(
    "do",
    [
        ["request_headers clear_route_cache"],
        ["request_body clear_route_cache"],
        ["response_headers set x-route=other", "response_headers clear_route_cache"],
        ["response_body set x-route=other", "response_body clear_route_cache"],
    ],
)
def test_clear_route_cache_that_does_not_count(stage, broken, do):
    response, entry = stage.logged("closed", "POST", do=do, body=b"body")
    assert (response.status, response.body, entry["route"]) == (200, b"body", "all")
    broken("clear_route_cache", times=1)


def test_immediate_response_behind_the_headers(stage, broken):
    """The caller has the head of another response: Envoy resets it."""
    with pytest.raises((ConnectionError, EOFError, ValueError)):
        headers = [*DOWN, ("x-reply-chunks", "5")]
        stage.request("streamed_late", "POST", do=["response_trailers respond 418 no"], body=b"12345", headers=headers)
    broken("immediate_too_late", "Late", times=1)


def test_immediate_response_to_trailers_behind_a_buffered_body(stage):
    """Envoy still holds the response back."""
    before = stage.servers["Rules"].stats()["misused_answers"]
    response = stage.request("closed", do=["response_trailers respond 418 short"], headers=DOWN, **EVERY_PHASE)
    assert (response.status, response.body) == (418, b"short")
    assert stage.servers["Rules"].stats()["misused_answers"] == before


def test_streamed_response_in_another_phase(stage, broken):
    response = stage.request("no_bodies", do=['response_headers stream {"status": 203, "chunks": ["a"]}'])
    assert response.status == 200
    broken("streamed_response", "Late", times=1)


def test_what_the_server_leaves_out_never_reaches_envoy(stage):
    counters = stage.envoy.stats(r"ext_proc\..*(spurious_msgs_received|message_timeouts|clear_route_cache_ignored)$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}
