"""The protocol's fields besides headers and bodies, in both directions: what a processor reads, and what it makes Envoy do."""

import json

import pytest

from harness.envoy_config import Mode, set_metadata
from harness.extproc import Extproc
from harness.lab import DUPLEX, HEADERS_ONLY, PARTIAL, STREAMED, WITH_TRAILERS
from harness.stage import Site, Stage
from harness.test_server import TestServer

EVERY_PHASE = {"method": "POST", "body": b"request body", "trailers": [("up", "1")], "headers": [("x-reply-trailer", "down: 1")]}
PHASES = ("request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers")
OTHER_ROUTE = {
    "name": "other",
    "match": {"prefix": "/", "headers": [{"name": "x-route", "string_match": {"exact": "other"}}]},
    "route": {"cluster": "upstream"},
}
ATTRIBUTES = {
    "request_attributes": ["request.path", "request.method", "xds.route_name", "connection.mtls", "request.size"],
    "response_attributes": ["response.code", "response.flags"],
}
METADATA = {
    "metadata_options": {
        "forwarding_namespaces": {"untyped": ["lab.in", "lab.out"], "typed": ["lab.typed", "lab.typed_out"]},
        "receiving_namespaces": {"untyped": ["lab.out"], "typed": ["lab.typed_out"]},
    }
}
STRING_VALUE = "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Metadata"
TYPED = {"@type": STRING_VALUE, "metadata_namespace": "hello"}
TYPED_HEX = (b"\x0a\x05hello").hex()
MODES = {"buffered": Mode(), "streamed": STREAMED, "partial": PARTIAL, "duplex": DUPLEX, "headers_only": HEADERS_ONLY}


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {
        "AsyncScripted": Extproc(launcher, "test_processors.AsyncScripted"),
        "Scripted": Extproc(launcher, "test_processors.Scripted"),
        "Automatic": TestServer(launcher, "RequestHeadersOnly", automatic_mode_override="on", early_end="off", reveal_chain="off"),
    }
    one, two = ("AsyncScripted",), ("AsyncScripted", "Scripted")
    before = (
        set_metadata("lab.in", {"tenant": "blue", "score": 0.5, "list": [True, None, {"a": "b"}]}),
        set_metadata("lab.typed", typed_value=TYPED),
    )
    override = {"allow_mode_override": True}
    sites = [
        Site("attributes", one, WITH_TRAILERS, extra=ATTRIBUTES, routes=(OTHER_ROUTE,)),
        Site("attributes_response", one, Mode(request_header="SKIP", request_body="NONE"), extra=ATTRIBUTES),
        *(Site(f"config_{name}", one, mode) for name, mode in MODES.items()),
        Site("config_eager", one, STREAMED, extra={"send_body_without_waiting_for_header_response": True}),
        Site("metadata", one, WITH_TRAILERS, extra=METADATA, before=before),
        Site("metadata_two", two, WITH_TRAILERS, extra=METADATA, before=before),
        Site("override", one, HEADERS_ONLY, extra=override),
        Site("override_mixed", one, Mode(request_body="STREAMED", response_body="BUFFERED"), extra=override),
        Site("override_not_allowed", one, HEADERS_ONLY),
        Site("override_duplex", one, DUPLEX, extra=override),
        Site("override_eager", one, STREAMED, extra={"send_body_without_waiting_for_header_response": True, **override}),
        Site("automatic", ("Automatic",), WITH_TRAILERS, extra=override),
        Site("routes", one, WITH_TRAILERS, routes=(OTHER_ROUTE,)),
        *(Site(f"replace_{name}", one, mode) for name, mode in MODES.items()),
    ]
    return Stage(launcher, servers, sites, raw_port, logged={"metadata": "%DYNAMIC_METADATA(lab.out)%", "flags": "%RESPONSE_FLAGS%"})


def back(*names: str) -> list[tuple[str, str]]:
    """The upstream is to send these headers of the request back."""
    return [("x-reply-request-header", name) for name in names]


# What comes in


@pytest.mark.parametrize("phase", ["request_headers", "request_body"])
def test_request_attributes(stage, phase):
    names = ["request.path", "request.method", "xds.route_name", "connection.mtls", "response.code"]
    do = [f"{phase} attribute {name}" for name in names]
    headers = back(*(f"x-attribute-{name}" for name in names))
    response = stage.request("attributes", "POST", do=do, headers=headers, body=b"body", path="/a/path?b=c")
    got = [response.get(f"x-attribute-{name}") for name in names]
    assert got == ['"/a/path?b=c"', '"POST"', '"all"', "false", "none"]


@pytest.mark.parametrize("phase", ["response_headers", "response_body"])
def test_attributes_of_both_directions_are_kept_for_the_response(stage, phase):
    names = ["request.path", "response.code", "response.flags"]
    do = [f"{phase} attribute {name}" for name in names]
    response = stage.request("attributes", "POST", do=do, body=b"body", path="/p")
    got = [json.loads(response.get(f"x-attribute-{name}")) for name in names]
    assert got == ["/p", 200, 0]


def test_attributes_in_trailers(stage):
    do = ["response_trailers attribute request.path", "response_trailers attribute response.code"]
    response = stage.request("attributes", do=do, **EVERY_PHASE)
    trailers = dict(response.trailers)
    assert json.loads(trailers["x-attribute-request.path"]) == "/stage"
    assert json.loads(trailers["x-attribute-response.code"]) == 200


@pytest.mark.parametrize(
    ("site", "config"),
    [
        ("buffered", "BUFFERED BUFFERED"),
        ("streamed", "STREAMED STREAMED"),
        ("partial", "BUFFERED_PARTIAL BUFFERED_PARTIAL"),
        ("duplex", "FULL_DUPLEX_STREAMED FULL_DUPLEX_STREAMED"),
        ("headers_only", "NONE NONE"),
        ("eager", "STREAMED STREAMED without waiting"),
    ],
)
@pytest.mark.parametrize("phase", ["request_headers", "response_headers"])
def test_protocol_config(stage, site, config, phase):
    response = stage.request(f"config_{site}", "POST", do=[f"{phase} config"], headers=back("x-config"), body=b"body")
    assert response.get("x-config") == config


@pytest.mark.parametrize("phase", PHASES)
def test_metadata_of_filters_in_front_in_every_phase(stage, phase):
    do = [f"{phase} metadata lab.in", f"{phase} typed_metadata lab.typed", f"{phase} metadata lab.none"]
    headers = [*EVERY_PHASE["headers"], *back("x-metadata-lab.in", "x-typed-metadata-lab.typed", "x-metadata-lab.none")]
    response = stage.request("metadata", do=do, **{**EVERY_PHASE, "headers": headers})
    prefix = "trailer-" if phase == "request_trailers" else ""
    found = {name.removeprefix(prefix): value for name, value in [*response.headers, *response.trailers]}
    expected = {"tenant": "blue", "score": 0.5, "list": [True, None, {"a": "b"}]}
    assert json.loads(found["x-metadata-lab.in"]) == expected
    assert found["x-typed-metadata-lab.typed"].decode() == f"{STRING_VALUE} {TYPED_HEX}"
    assert found["x-metadata-lab.none"] == b"none"


# What goes out


@pytest.mark.parametrize("phase", PHASES)
def test_dynamic_metadata_of_every_phase(stage, phase):
    value = {"phase": phase, "number": 1.5, "yes": True, "nothing": None, "list": [1, "two"], "object": {"a": {"b": "c"}}}
    response, entry = stage.logged("metadata", do=[f"{phase} emit lab.out {json.dumps(value)}"], **EVERY_PHASE)
    assert (response.status, response.body) == (200, b"request body")
    assert entry["metadata"] == value


def test_dynamic_metadata_of_several_phases_is_merged(stage):
    do = [f'{phase} emit lab.out {{"{phase}": 1}}' for phase in PHASES]
    _, entry = stage.logged("metadata", do=do, **EVERY_PHASE)
    assert entry["metadata"] == {phase: 1 for phase in PHASES}


def test_dynamic_metadata_of_another_namespace_is_dropped(stage):
    do = ['request_headers emit lab.other {"a": 1}', 'request_headers emit lab.out {"b": 2}']
    _, entry = stage.logged("metadata", do=do)
    assert entry["metadata"] == {"b": 2}


@pytest.mark.parametrize("phase", PHASES)
def test_dynamic_metadata_with_an_immediate_response(stage, phase):
    do = [f'{phase} emit lab.out {{"why": "teapot"}}', f"{phase} respond 418 short"]
    response, entry = stage.logged("metadata", do=do, **EVERY_PHASE)
    assert (response.status, response.body) == (418, b"short")
    assert entry["metadata"] == {"why": "teapot"}


def test_dynamic_metadata_reaches_the_next_processor(stage):
    """Typed and not: the second filter in line reads what the first has emitted."""
    do = [
        "request_headers metadata lab.out",
        "request_headers typed_metadata lab.typed_out",
        'request_headers emit lab.out {"from": "first"}',
        f"request_headers emit_typed lab.typed_out {STRING_VALUE} {TYPED_HEX}",
    ]
    response = stage.request("metadata_two", do=do, headers=back("x-metadata-lab.out", "x-typed-metadata-lab.typed_out"))
    assert response.get("x-metadata-lab.out") == '{"from":"first"}'
    assert response.get("x-typed-metadata-lab.typed_out") == f"{STRING_VALUE} {TYPED_HEX}"


@pytest.mark.parametrize(
    ("do", "body"),
    [
        ([], b"original"),
        (["request_headers mode request_body=BUFFERED"], b"up"),
        (["request_headers mode request_body=STREAMED"], b"up"),
        (["request_headers mode response_body=BUFFERED"], b"down"),
        (["response_headers mode response_body=BUFFERED"], b"down"),
        (["request_headers mode request_body=BUFFERED,response_body=BUFFERED"], b"down"),
        (["request_headers mode request_body=BUFFERED_PARTIAL"], b"up"),
    ],
)
def test_mode_override_asks_for_a_body(stage, do, body):
    do = [*do, "request_body replace up", "response_body replace down"]
    response = stage.request("override", "POST", do=do, body=b"original")
    assert response.status == 200
    # Of a streamed body each chunk is replaced, and the last may be empty.
    assert response.body in (body, body * 2)


def test_mode_override_leaves_the_body_modes_that_it_does_not_name(stage):
    do = ["request_headers mode response_trailer=SEND", "response_trailers set x-seen=1"]
    do += ["request_body replace up", "response_body replace down"]
    response = stage.request("override_mixed", "POST", do=do, body=b"original", headers=[("x-reply-trailer", "down: 1")])
    assert (response.status, response.body) == (200, b"down")
    assert ("x-seen", b"1") in response.trailers
    do.remove("response_body replace down")
    assert stage.request("override_mixed", "POST", do=do, body=b"original").body.replace(b"up", b"") == b""


def test_mode_override_leaves_a_body_out(stage):
    do = ["request_headers mode request_body=NONE,response_body=NONE,response_header=SKIP"]
    do += ["request_body replace up", "response_body replace down", "response_headers set x-seen=1"]
    response = stage.request("override_mixed", "POST", do=do, body=b"original")
    assert (response.status, response.body, response.get("x-seen")) == (200, b"original", None)


def test_mode_override_that_the_filter_does_not_allow(stage):
    do = ["request_headers mode request_body=BUFFERED", "request_body replace up"]
    response = stage.request("override_not_allowed", "POST", do=do, body=b"original")
    assert (response.status, response.body) == (200, b"original")


@pytest.mark.parametrize("site", ["override_duplex", "override_eager"])
def test_mode_override_that_envoy_would_ignore_is_left_out(stage, site):
    response = stage.request(site, "POST", do=["request_headers mode request_body=NONE,response_body=NONE"], body=b"body")
    assert (response.status, response.body) == (200, b"body")
    stage.servers["AsyncScripted"].process.wait_for_log("mode_override")
    assert len(stage.servers["AsyncScripted"].lines('mode_override "mode_override"')) == 1


def test_automatic_mode_override_asks_for_no_more_than_is_handled(stage):
    """The filter is set up to send everything; the processor handles request headers only."""
    server = stage.servers["Automatic"]
    before = server.stats()["messages"]
    for _ in range(10):
        response = stage.request("automatic", do=["request_headers set x-up=1"], **EVERY_PHASE)
        assert (response.status, response.body) == (200, b"request body")
    assert server.stats()["messages"] - before == 10


@pytest.mark.parametrize("phase", ["request_headers", "request_body"])
def test_clear_route_cache(stage, phase):
    change = [f"{phase} set x-route=other"]
    for do, route in ((change, "all"), ([*change, f"{phase} clear_route_cache"], "other")):
        response, entry = stage.logged("routes", "POST", do=do, body=b"body")
        assert (response.status, response.body) == (200, b"body")
        assert entry["route"] == route


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("trailers", [None, [("up", "1")]], ids=["", "trailers"])
def test_continue_and_replace_of_the_request(stage, mode, trailers):
    do = ["request_headers continue_and_replace new body", "request_headers set :method=PUT"]
    response = stage.request(f"replace_{mode}", "POST", do=do, body=b"original", trailers=trailers)
    assert (response.status, response.body) == (200, b"new body")
    assert response.get("seen-method") == "PUT"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("trailers", [[], [("x-reply-trailer", "down: 1")]], ids=["", "trailers"])
def test_continue_and_replace_of_the_response(stage, mode, trailers):
    do = ["response_headers continue_and_replace new body", "response_headers set :status=203"]
    response = stage.request(f"replace_{mode}", "POST", do=do, body=b"original", headers=trailers)
    assert (response.status, response.body) == (203, b"new body")


def reply(phase: str, **members) -> str:
    return f"{phase} reply {json.dumps(members)}"


@pytest.mark.parametrize("phase", PHASES)
def test_immediate_response_with_all_that_it_can_have(stage, phase):
    members = {
        "status": 403,
        "headers": [["x-a", "1"], ["x-b", "2"], ["x-b", "3"]],
        "body": '{"error": "no"}',
        "details": "denied_by_policy",
        # Envoy adds its own headers afterwards.
        "removed_headers": ["content-type", "x-a"],
    }
    response, entry = stage.logged("metadata", do=[reply(phase, **members)], **EVERY_PHASE)
    assert (response.status, response.body) == (403, b'{"error": "no"}')
    assert (response.all("x-a"), response.all("x-b")) == ([b"1"], [b"2", b"3"])
    assert response.get("content-type") == "text/plain"
    assert entry["details"] == "denied_by_policy"


@pytest.mark.parametrize("phase", ["request_headers", "response_headers"])
def test_immediate_response_to_a_grpc_caller(stage, phase):
    """Envoy makes an answer in gRPC's own form of it."""
    headers = [("content-type", "application/grpc"), ("te", "trailers")]
    members = {"status": 403, "body": "not for you", "grpc_status": 7}
    response = stage.request("metadata", "POST", do=[reply(phase, **members)], headers=headers, body=b"\0\0\0\0\0")
    assert response.status == 200
    assert response.get("content-type") == "application/grpc"
    assert (response.get("grpc-status"), response.get("grpc-message")) == ("7", "not for you")


def test_no_illegal_answer_was_given(stage):
    """Behind the tests above: Envoy counts what it did not expect."""
    counters = stage.envoy.stats(r"ext_proc\..*(spurious_msgs_received|message_timeouts|streams_failed)$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}
