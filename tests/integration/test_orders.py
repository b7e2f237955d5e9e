"""Messages in orders other than the usual one, from Envoy and from other clients."""

import asyncio

import pytest

from harness import protos
from harness.envoy_config import Mode
from harness.grpc_client import Requests, process
from harness.lab import STREAMED, WITH_TRAILERS
from harness.processes import eventually
from harness.stage import Site, Stage
from harness.test_server import TestServer

ABORT = {
    "name": "fault",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": 418, "percentage": {"numerator": 100}},
    },
}
DIRECT = {"name": "direct", "match": {"prefix": "/direct"}, "direct_response": {"status": 203, "body": {"inline_string": "direct"}}}
BODY_MODES = ("BUFFERED", "BUFFERED_PARTIAL", "STREAMED", "FULL_DUPLEX_STREAMED")
PHASES = ("request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers")
EVERY_PHASE = {"method": "POST", "body": b"request body", "trailers": [("up", "1")], "headers": [("x-reply-trailer", "down: 1")]}


def whole(body: str, **modes: str) -> Mode:
    return Mode(**{"request_body": body, "response_body": body, "request_trailer": "SEND", "response_trailer": "SEND", **modes})


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {
        "Scripted": TestServer(launcher, "AsyncScripted"),
        "Bodies": TestServer(launcher, "Bodies"),
        "Early": TestServer(launcher, "RequestHeadersOnly", reveal_chain="off"),
    }
    sites = []
    for processor in servers:
        for mode in BODY_MODES:
            sites.append(Site(f"{processor}_local_{mode}", (processor,), whole(mode), before=(ABORT,)))
            sites.append(Site(f"{processor}_direct_{mode}", (processor,), whole(mode), routes=(DIRECT,)))
            sites.append(Site(f"{processor}_no_request_headers_{mode}", (processor,), whole(mode, request_header="SKIP")))
            sites.append(Site(f"{processor}_no_headers_{mode}", (processor,), whole(mode, request_header="SKIP", response_header="SKIP")))
    observe = {"observability_mode": True, "deferred_close_timeout": "2s"}
    sites.append(Site("observed", ("Scripted",), whole("STREAMED"), extra=observe))
    sites.append(Site("observed_bodies", ("Bodies",), whole("STREAMED"), extra=observe))
    return Stage(launcher, servers, sites, raw_port)


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize("processor", ["Scripted", "Bodies", "Early"])
def test_local_reply_of_a_filter_in_front(stage, processor, mode):
    """The response's headers are the first message."""
    for request in ({"method": "GET"}, EVERY_PHASE):
        response = stage.request(f"{processor}_local_{mode}", **request)
        assert (response.status, response.body) == (418, b"fault filter abort")


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize("processor", ["Scripted", "Bodies", "Early"])
def test_direct_response(stage, processor, mode):
    for request in ({"method": "GET"}, EVERY_PHASE):
        response = stage.request(f"{processor}_direct_{mode}", path="/direct", **request)
        assert (response.status, response.body) == (203, b"direct")


@pytest.mark.parametrize("mode", BODY_MODES)
@pytest.mark.parametrize("processor", ["Scripted", "Bodies", "Early"])
@pytest.mark.parametrize("site", ["no_request_headers", "no_headers"])
def test_body_without_headers(stage, processor, site, mode):
    for body, trailers in ((b"one piece", None), ([b"several", b"pieces"], [("up", "1")])):
        headers = [("x-reply-trailer", "down: 1")] if trailers else []
        response = stage.request(f"{processor}_{site}_{mode}", "POST", body=body, trailers=trailers, headers=headers)
        assert (response.status, response.body) == (200, b"".join(body) if isinstance(body, list) else body)
        assert response.get("trailer-up") == ("1" if trailers else None)


def test_observed_handlers_run_and_change_nothing(stage):
    do = [line for phase in PHASES for line in (f"{phase} log watched", f"{phase} set x-changed=1")]
    response = stage.request("observed", do=do, **EVERY_PHASE)
    assert (response.status, response.body, response.get("x-changed")) == (200, b"request body", None)
    server = stage.servers["Scripted"]
    for phase in PHASES:
        server.process.wait_for_log(f"watched in {phase}, observing")
    assert stage.counters("observed").keys() & {"spurious_msgs_received", "message_timeouts", "streams_failed"} == set()


def test_observed_bodies(stage):
    """A handler that reads to the end, of a stream that Envoy closes a while later."""
    do = ["request_body wrap", "response_body summary"]
    response = stage.bodies("observed_bodies", do=do, **EVERY_PHASE)
    assert (response.status, response.body) == (200, b"request body")
    server = stage.servers["Bodies"]
    eventually(lambda: server.stats()["streams_open"] == 0, "the stream to end")
    assert server.stats()["handler_failures"] == 0


def test_nothing_went_wrong_with_envoy(stage):
    counters = stage.envoy.stats(r"ext_proc\..*(spurious_msgs_received|message_timeouts|streams_failed)$")
    assert counters
    assert {name: count for name, count in counters.items() if count} == {}


# Other clients


@pytest.fixture
def scripted(stage):
    with stage.servers["Scripted"].channel() as channel:
        yield channel


@pytest.fixture
def bodies(stage):
    with stage.servers["Bodies"].channel() as channel:
        yield channel


def headers(*actions: str, name: str = "x-do", config: tuple[int, int] | None = None, flow: dict | None = None):
    """Request headers, with what the first message of a stream may carry."""
    message = protos.request_headers({":method": "POST", ":path": "/"}, end_of_stream=False)
    for action in actions:
        message.request_headers.headers.headers.add(key=name, raw_value=action.encode())
    if config:
        message.protocol_config.request_body_mode, message.protocol_config.response_body_mode = config
    for field, value in (flow or {}).items():
        setattr(message.flow_control_init, field, value)
    return message


def body(phase: str, text: bytes = b"", **flags: bool):
    message = protos.ProcessingRequest()
    part = getattr(message, phase)
    part.body = text
    for name, value in flags.items():
        setattr(part, name, value)
    part.SetInParent()
    return message


GRPC = (5, 5)
DUPLEX = (4, 4)


def kinds(answers: list) -> list[str | None]:
    return [answer.WhichOneof("response") for answer in answers]


def test_message_with_nothing_in_it(scripted):
    """None of the oneof: it is not answered."""
    nothing = protos.ProcessingRequest()
    messages = [nothing, headers(), nothing, body("request_body", b"a", end_of_stream=True), nothing]
    answers = list(process(scripted)(iter(messages), timeout=10))
    assert kinds(answers) == ["request_headers", "request_body"]


def test_directions_that_interleave(scripted):
    messages = [
        headers("request_headers sleep 50", "response_headers sleep 50"),
        protos.response_headers({":status": "200"}, end_of_stream=False),
        body("request_body", b"1"),
        body("response_body", b"2"),
        body("request_body", b"3", end_of_stream=True),
        body("response_body", b"4", end_of_stream=True),
    ]
    answers = list(process(scripted)(iter(messages), timeout=10))
    assert sorted(kinds(answers)) == sorted(["request_headers", "response_headers", *["request_body"] * 2, *["response_body"] * 2])
    assert [kind for kind in kinds(answers) if kind.startswith("request")] == ["request_headers", "request_body", "request_body"]


def test_response_first(scripted):
    messages = [protos.response_headers({":status": "200"}), headers()]
    assert kinds(list(process(scripted)(iter(messages), timeout=10))) == ["response_headers", "request_headers"]


def test_grpc_mode(bodies):
    """One chunk for each gRPC message, however small, with its flag; an end that is no message."""
    messages = [
        headers("request_body upper", name="x-do-bodies", config=GRPC),
        body("request_body", b"first", grpc_message_compressed=True),
        body("request_body", b""),
        body("request_body", b"third"),
        body("request_body", end_of_stream=True, end_of_stream_without_message=True),
    ]
    answers = list(process(bodies)(iter(messages), timeout=10))
    assert kinds(answers) == ["request_headers", *["request_body"] * 4]
    streamed = [answer.request_body.response.body_mutation.streamed_response for answer in answers[1:]]
    assert [(part.body, part.end_of_stream, part.end_of_stream_without_message) for part in streamed] == [
        (b"FIRST", False, False),
        (b"", False, False),
        (b"THIRD", False, False),
        (b"", True, True),
    ]


def test_grpc_mode_chunk_by_chunk_keeps_the_flags(scripted):
    messages = [
        headers(config=GRPC),
        body("request_body", b"first", grpc_message_compressed=True),
        body("request_body", b"second"),
        body("request_body", end_of_stream=True, end_of_stream_without_message=True),
    ]
    answers = list(process(scripted)(iter(messages), timeout=10))
    streamed = [answer.request_body.response.body_mutation.streamed_response for answer in answers[1:]]
    assert [(part.body, part.grpc_message_compressed, part.end_of_stream_without_message) for part in streamed] == [
        (b"first", True, False),
        (b"second", False, False),
        (b"", False, True),
    ]


def test_drain(bodies):
    """The client says that it sends no more, which ends the body."""
    messages = [
        headers("request_body upper", name="x-do-bodies", config=DUPLEX),
        body("request_body", b"first"),
        body("request_body", b"last", drain_complete=True),
    ]
    answers = list(process(bodies)(iter(messages), timeout=10))
    streamed = [answer.request_body.response.body_mutation.streamed_response for answer in answers[1:]]
    assert b"".join(part.body for part in streamed) == b"FIRSTLAST"
    assert [part.drain_complete for part in streamed] == [False] * (len(streamed) - 1) + [True]
    assert not any(part.end_of_stream for part in streamed)


FLOW = {
    "initial_window_downstream_to_sidestream": 16,
    "initial_window_sidestream_to_upstream": 10,
    "initial_window_upstream_to_sidestream": 16,
    "initial_window_sidestream_to_downstream": 10,
}


@pytest.mark.parametrize("direction", ["request", "response"])
def test_flow_control(stage, direction):
    """The client's window holds answers back; the server gives its own window back as it reads."""
    up = direction == "request"
    requests = Requests()
    with stage.servers["Bodies"].channel() as channel:
        call = process(channel)(iter(requests), timeout=10)
        requests.send(headers(f"{direction}_body upper", name="x-do-bodies", config=DUPLEX, flow=FLOW))
        assert next(call).HasField("request_headers")
        if not up:
            requests.send(protos.response_headers({":status": "200"}, end_of_stream=False))
            assert next(call).HasField("response_headers")
        received: list = []

        def read_until(done) -> None:
            while not done():
                received.append(next(call))

        def bodies_received() -> list[bytes]:
            parts = [getattr(answer, f"{direction}_body") for answer in received if answer.WhichOneof("response")]
            return [part.response.body_mutation.streamed_response.body for part in parts]

        def given_back() -> int:
            name = "window_increment_downstream_to_sidestream" if up else "window_increment_upstream_to_sidestream"
            return sum(getattr(answer.server_window_update, name) for answer in received)

        phase = f"{direction}_body"
        for text in (b"eight by", b"8 bytes ", b"held bac"):
            requests.send(body(phase, text))
        # The window is 10: the first fits, the second goes whole into what is left, and the third waits.
        read_until(lambda: len(bodies_received()) == 2 and given_back() == 24)
        assert bodies_received() == [b"EIGHT BY", b"8 BYTES "]
        update = protos.ProcessingRequest()
        name = "window_increment_sidestream_to_upstream" if up else "window_increment_sidestream_to_downstream"
        setattr(update.client_window_update, name, 20)
        requests.send(update)
        requests.send(body(phase, end_of_stream=True))
        requests.close()
        read_until(lambda: len(bodies_received()) == 4)
        assert bodies_received()[2:] == [b"HELD BAC", b""]
        assert list(call) == []


def test_metadata_and_attributes_of_another_client(scripted):
    """The deprecated place of attributes, HttpHeaders.attributes, is read as well or ignored without harm."""
    message = headers("request_headers attribute a.b", "request_headers metadata some.filter")
    message.attributes["envoy.filters.http.ext_proc"].fields["a.b"].number_value = 2.5
    message.metadata_context.filter_metadata["some.filter"].fields["deep"].list_value.values.add().bool_value = True
    answer = next(process(scripted)(iter([message]), timeout=10))
    assert protos.set_headers(answer.request_headers.response.header_mutation) == {
        "x-attribute-a.b": b"2.5E0",
        "x-metadata-some.filter": b'{"deep":[true]}',
    }
