"""Processors inside Envoy: their spans are children of Envoy's own, and handlers are told where they are."""

from dataclasses import dataclass

import pytest

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Listener, Mode, bootstrap, tracing
from harness.inside import Inside, environment
from harness.lab import STYLES, with_actions
from harness.otlp import Collector
from harness.processes import eventually, free_port
from test_traces import RUNTIME, TELL, told

HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
CHAIN = ("test_processors.Link1", "test_processors.Link2")
SHARES = {"all": 100.0, "none": 0.0, "off": None}


@pytest.fixture(scope="module")
def collector():
    its = Collector()
    yield its
    its.close()


@dataclass
class Stage:
    ports: dict[tuple[str, str], int]

    def request(self, name: str, share: str, do: list[str], headers: tuple = ()) -> http.Response:
        parts = {"headers": [*headers, ("x-reply-request-header", "x-trace-request_headers")]}
        return http.request(self.ports[name, share], "GET", "/traces", **with_actions(do, parts))


@pytest.fixture(scope="module")
def stage(launcher, collector, raw_port) -> Stage:
    processors = {style: (f"test_processors.{style}",) for style in STYLES} | {"chain": CHAIN}
    ports = {(name, share): free_port() for name in processors for share in SHARES}
    listeners = [
        Listener(
            f"{name}_{share}",
            port,
            (Inside(processors[name], HEADERS_ONLY),),
            tracing=None if SHARES[share] is None else tracing("collector", SHARES[share]),
        )
        for (name, share), port in ports.items()
    ]
    clusters = [Cluster("upstream", (raw_port,), http2=False), Cluster("collector", (collector.port,), http2=False)]
    admin = free_port()
    Envoy(launcher, bootstrap(admin, listeners, clusters, RUNTIME), admin, env=environment())
    return Stage(ports)


@pytest.mark.parametrize("name", STYLES)
def test_the_spans_are_children_of_envoys(stage, collector, name):
    response = stage.request(name, "all", TELL)
    assert response.status == 200
    trace_id, in_request, flags, _ = told(response, "request_headers")
    assert flags == "01"

    def whole() -> list | None:
        spans = [span for span in collector.spans if span.trace_id == trace_id]
        named = {span.name for span in spans if span.name.startswith("process.")}
        has_root = any(span.parent == "" for span in spans)
        return spans if has_root and named == {"process.request_headers", "process.response_headers"} else None

    spans = eventually(whole, "the whole trace")
    (root,) = [span for span in spans if span.parent == ""]
    ours = {span.name: span for span in spans if span.name.startswith("process.")}
    assert {span.parent for span in ours.values()} == {root.id}
    assert {span.service for span in spans} == {"envoy"}
    assert ours["process.request_headers"].id == in_request
    assert ours["process.response_headers"].id == told(response, "response_headers")[1]
    for phase in ("request_headers", "response_headers"):
        attributes = ours[f"process.{phase}"].attributes
        assert {key: value for key, value in attributes.items() if key.startswith("extproc.")} == {
            "extproc.processor": name,
            "extproc.phase": phase,
            "extproc.outcome": "answered",
        }


def test_each_processor_of_a_chain_has_a_span(stage, collector):
    response = stage.request("chain", "all", [], (("x-do-1", "response_headers trace"), ("x-do-2", "response_headers set x-two=2")))
    trace_id = told(response, "response_headers")[0]

    def links() -> list | None:
        spans = [span for span in collector.spans if span.trace_id == trace_id and span.name == "process.response_headers"]
        return spans if len(spans) == 3 else None

    spans = eventually(links, "the spans of the chain and of its two processors")
    names = [span.attributes["extproc.processor"] for span in spans]
    whole = next(span for span in spans if span.attributes["extproc.processor"] not in ("Link1", "Link2"))
    assert {"Link1", "Link2"} < set(names)
    assert [span.parent for span in spans if span is not whole] == [whole.id, whole.id]


def test_a_handler_that_fails(stage, collector):
    parent = ("traceparent", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert stage.request("Scripted", "all", ["request_headers throw"], (parent,)).status == 500
    span = eventually(
        lambda: next((each for each in collector.spans if each.trace_id == parent[1][3:35] and each.name == "process.request_headers"), None),
        "the span of the handler",
    )
    assert (span.attributes["extproc.outcome"], span.attributes["error"]) == ("failed", "true")


def test_what_is_not_recorded_is_told_as_such(stage, collector):
    response = stage.request("Scripted", "none", TELL)
    trace_id, _, flags, _ = told(response, "request_headers")
    assert flags == "00"
    later = stage.request("Scripted", "all", TELL)
    eventually(lambda: any(span.trace_id == told(later, "request_headers")[0] for span in collector.spans), "a later trace")
    assert not [span for span in collector.spans if span.trace_id == trace_id]


def test_without_envoys_traces_there_is_none(stage):
    assert stage.request("Scripted", "off", TELL).get("x-trace-request_headers") in (None, "none", "")
