"""Traces: the tree of spans below Envoy's own and the caller's, what handlers and the log are told, and collectors that fail."""

import json
import secrets
import signal
from dataclasses import dataclass

import pytest

from harness import http, paths
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap, tracing
from harness.extproc import Extproc
from harness.lab import STYLES, with_actions
from harness.otlp import Collector, Span
from harness.processes import eventually, free_port
from harness.test_server import TestServer

HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
# Envoy sends spans soon.
RUNTIME = {"tracing.opentelemetry.min_flush_spans": 1, "tracing.opentelemetry.flush_interval_ms": 20}
CHAIN = "test_processors.Link1,test_processors.Link2"
METHOD = "envoy.service.ext_proc.v3.ExternalProcessor/Process"


@pytest.fixture(scope="module")
def collector():
    its = Collector()
    yield its
    its.close()


@dataclass
class Caller:
    """Whose span is above all others."""

    sampled: bool = True
    state: str = "vendor=a1,other=b2"

    def __post_init__(self):
        self.trace_id, self.span_id = secrets.token_hex(16), secrets.token_hex(8)

    @property
    def headers(self) -> list[tuple[str, str]]:
        parent = f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"
        return [("traceparent", parent), ("tracestate", self.state)]


class Stage:
    """An Envoy with a listener for each processor and share of traces; the processor's spans go to the collector as well."""

    SHARES = {"all": 100.0, "none": 0.0, "off": None}

    def __init__(self, launcher, collector: Collector, upstream: int):
        names = {style: f"test_processors.{style}" for style in STYLES} | {"chain": CHAIN}
        self.servers = {
            name: Extproc(launcher, service, ("--message-timeout", "10"), env=collector.environment) for name, service in names.items()
        }
        self.ports = {(name, share): free_port() for name in names for share in self.SHARES}
        listeners = [
            Listener(
                f"{name}_{share}",
                port,
                (Filter(name, HEADERS_ONLY),),
                tracing=None if self.SHARES[share] is None else tracing("collector", self.SHARES[share]),
            )
            for (name, share), port in self.ports.items()
        ]
        clusters = [Cluster(name, (server.address,)) for name, server in self.servers.items()]
        clusters += [Cluster("upstream", (upstream,), http2=False), Cluster("collector", (collector.port,), http2=False)]
        admin = free_port()
        self.envoy = Envoy(launcher, bootstrap(admin, listeners, clusters, RUNTIME), admin)

    def request(self, name: str, share: str, do: list[str], **parts) -> http.Response:
        headers = [*parts.pop("headers", []), ("x-reply-request-header", "x-trace-request_headers")]
        return http.request(self.ports[name, share], "GET", "/traces", **with_actions(do, {"headers": headers, **parts}))


@pytest.fixture(scope="module")
def stage(launcher, collector, raw_port) -> Stage:
    return Stage(launcher, collector, raw_port)


TELL = ["request_headers trace", "response_headers trace"]


def told(response: http.Response, phase: str) -> tuple[str, str, str, str]:
    """What a handler was told: trace id, span id, flags, tracestate."""
    traceparent, _, state = response.get(f"x-trace-{phase}").partition(" ")
    version, trace_id, span_id, flags = traceparent.split("-")
    assert version == "00"
    return trace_id, span_id, flags, state


def above(collector: Collector, span: Span, top: str) -> list[Span]:
    """Envoy's spans above a span, the nearest first, once they are there; above those there is `top`."""

    def find() -> list[Span] | None:
        known = {each.id: each for each in collector.spans if each.trace_id == span.trace_id}
        spans, parent = [], span.parent
        while parent in known:
            spans.append(known[parent])
            parent = spans[-1].parent
        return spans if parent == top else None

    return eventually(find, f"Envoy's spans above {span.name}")


@pytest.mark.parametrize("name", STYLES)
def test_the_tree_is_below_envoys_own_span(stage, collector, name):
    response = stage.request(name, "all", TELL)
    assert response.status == 200
    trace_id, in_request, flags, state = told(response, "request_headers")
    assert (flags, state) == ("01", "")
    trace = collector.trace(trace_id)
    process = trace.only("process")
    assert trace.tree(process) == {"process.request_headers": {}, "process.response_headers": {}}
    assert process.service == "processor" and process.kind == "SERVER"
    # What handlers are told is the span that they run in.
    assert trace.only("process.request_headers").id == in_request
    assert trace.only("process.response_headers").id == told(response, "response_headers")[1]
    envoys = above(collector, process, top="")
    assert envoys and {span.service for span in envoys} == {"envoy"}
    assert process.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": METHOD,
        "rpc.response.status_code": "OK",
        "extproc.processor": name,
    }
    phase = trace.only("process.request_headers")
    assert phase.kind == "INTERNAL" and not phase.failed
    assert phase.attributes == {"extproc.processor": name, "extproc.phase": "request_headers", "extproc.outcome": "answered"}
    for span in trace.of("processor"):
        assert process.message.start_time_unix_nano <= span.message.start_time_unix_nano <= span.message.end_time_unix_nano
        assert span.message.end_time_unix_nano <= process.message.end_time_unix_nano


def test_a_caller_with_a_span_is_above_envoys(stage, collector):
    caller = Caller()
    response = stage.request("Scripted", "all", TELL, headers=caller.headers)
    trace_id, _, flags, state = told(response, "request_headers")
    assert (trace_id, flags, state) == (caller.trace_id, "01", caller.state)
    process = collector.trace(caller.trace_id).only("process")
    assert {span.service for span in above(collector, process, top=caller.span_id)} == {"envoy"}
    assert process.message.trace_state == caller.state


def test_without_envoys_traces_the_callers_span_is_the_parent(stage, collector):
    caller = Caller()
    response = stage.request("Scripted", "off", TELL, headers=caller.headers)
    assert told(response, "response_headers")[0] == caller.trace_id
    trace = collector.trace(caller.trace_id)
    assert trace.only("process").parent == caller.span_id
    assert trace.only("process").message.trace_state == caller.state
    assert {span.service for span in trace.spans} == {"processor"}


def test_without_anybodys_a_trace_begins(stage, collector):
    response = stage.request("Scripted", "off", TELL)
    process = collector.trace(told(response, "request_headers")[0]).only("process")
    assert process.parent == ""


@pytest.mark.parametrize("share", ["none", "off"])
def test_what_is_not_recorded_is_passed_on_and_not_sent(stage, collector, share):
    # Envoy's 0 % say so in the call, whatever the caller's header says.
    caller = Caller(sampled=share == "none")
    response = stage.request("Scripted", share, TELL, headers=caller.headers)
    for phase in ("request_headers", "response_headers"):
        trace_id, span_id, flags, state = told(response, phase)
        assert (trace_id, flags, state) == (caller.trace_id, "00", caller.state)
        assert share == "none" or span_id == caller.span_id
    # One that is recorded, sent later, is there.
    later = stage.request("Scripted", "off", TELL)
    collector.trace(told(later, "request_headers")[0])
    assert not [span for span in collector.spans if span.trace_id == caller.trace_id and span.service == "processor"]


def test_each_processor_of_a_chain_has_a_span(stage, collector):
    caller = Caller()
    parts = {"headers": [*caller.headers, ("x-do-1", "response_headers trace"), ("x-do-2", "response_headers set x-two=2")]}
    response = stage.request("chain", "off", [], **parts)
    assert response.status == 200
    trace = collector.trace(caller.trace_id)
    process = trace.only("process")
    assert process.parent == caller.span_id
    for phase, order in (("request_headers", ["Link1", "Link2"]), ("response_headers", ["Link2", "Link1"])):
        (whole,) = [span for span in trace.below(process) if span.name == f"process.{phase}"]
        links = trace.below(whole)
        assert [span.attributes["extproc.processor"] for span in links] == order
        assert {span.name for span in links} == {f"process.{phase}"}
    by_name = {span.attributes["extproc.processor"]: span for span in links}
    assert told(response, "response_headers")[1] == by_name["Link1"].id
    assert len(trace.spans) == 7


def outcome_of(stage, collector, do: list[str], name: str = "Scripted") -> tuple[http.Response, Span, Span]:
    caller = Caller()
    response = stage.request(name, "off", do, headers=caller.headers)
    trace = collector.trace(caller.trace_id)
    return response, trace.only("process"), trace.only("process.request_headers")


def test_an_answer_in_the_upstreams_place(stage, collector):
    response, process, phase = outcome_of(stage, collector, ["request_headers respond 403 no"])
    assert response.status == 403
    assert phase.attributes["extproc.outcome"] == "immediate"
    assert phase.attributes["extproc.immediate_status"] == process.attributes["extproc.immediate_status"] == 403
    assert process.attributes["rpc.response.status_code"] == "OK" and not process.failed


def test_a_handler_that_fails(stage, collector):
    _, process, phase = outcome_of(stage, collector, ["request_headers throw secret"])
    assert phase.attributes["extproc.outcome"] == "failed" and phase.failed
    assert process.attributes["rpc.response.status_code"] == "UNKNOWN" and process.failed
    assert "secret" not in str([process.message, phase.message])


def test_a_handler_that_aborts(stage, collector):
    _, process, phase = outcome_of(stage, collector, ["request_headers abort text"])
    assert phase.attributes["extproc.outcome"] == "aborted" and not phase.failed
    assert process.attributes["rpc.response.status_code"] not in ("OK", "UNKNOWN")


def test_a_broken_rule_is_an_event(stage, collector):
    _, process, phase = outcome_of(stage, collector, ["request_headers set host=other"])
    assert phase.events == [("extproc.rule", {"extproc.rule": "header_denied"})]
    assert process.events == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_of_the_log_have_the_traces_id(own_launcher, collector, raw_port, form):
    server = Extproc(own_launcher, "test_processors.Scripted", ("--log-format", form), env=collector.environment)
    port = envoy_without_traces(own_launcher, server, raw_port)
    for caller in (Caller(), Caller(sampled=False)):
        headers = [*caller.headers, ("x-request-id", "one")]
        http.request(port, "GET", "/", **with_actions(["request_headers throw oops"], {"headers": headers}))
        server.process.wait_for_log(caller.trace_id)
        lines = [line for line in server.lines("oops") if caller.trace_id in line]
        assert len(lines) == 1
        if form == "json":
            assert json.loads(lines[0])["trace_id"] == caller.trace_id
        else:
            assert f"for request one trace {caller.trace_id}: " in lines[0]


def test_without_settings_there_are_none(own_launcher, collector, raw_port):
    before = collector.posts
    server = Extproc(own_launcher, "test_processors.Scripted", env={"LOG_LEVEL": "DEBUG", "OTEL_SERVICE_NAME": "processor"})
    port = envoy_without_traces(own_launcher, server, raw_port)
    caller = Caller()
    response = http.request(port, "GET", "/", **with_actions(TELL, {"headers": caller.headers}))
    assert response.get("x-trace-response_headers") == "none"
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0
    # In its headers, which DEBUG tells, but in no other line.
    assert not [line for line in server.lines(caller.trace_id) if "traceparent" not in line]
    assert collector.posts == before


def envoy_without_traces(launcher, server: Extproc | TestServer, upstream: int) -> int:
    port, admin = free_port(), free_port()
    clusters = [Cluster("processor", (server.address,)), Cluster("upstream", (upstream,), http2=False)]
    listener = Listener("http", port, (Filter("processor", HEADERS_ONLY),))
    Envoy(launcher, bootstrap(admin, [listener], clusters), admin)
    return port


def test_what_is_left_is_sent_at_the_end(own_launcher, collector, raw_port):
    env = collector.environment | {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
    server = Extproc(own_launcher, "test_processors.Scripted", env=env)
    port = envoy_without_traces(own_launcher, server, raw_port)
    caller = Caller()
    http.request(port, "GET", "/", **with_actions(TELL, {"headers": caller.headers}))
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0
    trace = collector.trace(caller.trace_id)
    assert trace.tree(trace.only("process")) == {"process.request_headers": {}, "process.response_headers": {}}


@pytest.mark.parametrize("answers", [503, 429, 400, None])
def test_a_collector_that_fails_holds_no_request_up(own_launcher, raw_port, answers):
    """None: there is no collector."""
    collector = Collector(lambda: answers)
    if answers is None:
        collector.close()
    server = Extproc(own_launcher, "test_processors.Scripted", env=collector.environment)
    port = envoy_without_traces(own_launcher, server, raw_port)
    for _ in range(50):
        response = http.request(port, "GET", "/", **with_actions(TELL, {"headers": Caller().headers}))
        assert response.status == 200 and response.get("x-trace-response_headers") != "none"
    server.process.wait_for_log("does not take spans")
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0
    # Some at each post, and told once a minute.
    assert len(server.lines("does not take spans")) == 1
    assert server.lines("spans were dropped")
    if answers is not None:
        collector.close()


@pytest.mark.parametrize("status", [200, 400])
def test_what_was_sent_is_counted(own_launcher, raw_port, status):
    collector = Collector(lambda: status)
    server = TestServer(own_launcher, "Scripted", traces=f"http://127.0.0.1:{collector.port}/v1/traces")
    port = envoy_without_traces(own_launcher, server, raw_port)
    for _ in range(10):
        assert http.request(port, "GET", "/").status == 200
    # A stream has a span, and one for each phase.
    expected = {"spans_sent": 30 if status == 200 else 0, "spans_dropped": 0 if status == 200 else 30}
    eventually(lambda: server.stats().items() >= expected.items(), f"the counters to be {expected}")
    collector.close()


@pytest.mark.parametrize(
    "variables, says",
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317"}, "must be a URL"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a"}, 'OTEL_EXPORTER_OTLP_ENDPOINT is "https://a"'),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://u:secret@a:4318"}, 'is "http://...@a:4318"'),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}, "COMPRESSION"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "otlp, or none"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "all"}, "parentbased_always_on"),
    ],
)
def test_what_cannot_be_used_of_the_environment_is_told_and_left_out(own_launcher, variables, says):
    both = ["-s", "test_processors.Scripted,test_processors.RequestHeadersOnly", "--separate", "-p", 0]
    server = own_launcher.start("extproc", [paths.built("extproc"), "serve", *both], env=variables)
    server.wait_for_log("RequestHeadersOnly listens in clear text on")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    told = [line for line in server.log().splitlines() if "there are no traces: " in line]
    assert len(told) == 1 and says in told[0]
    assert "WARNING" in told[0] and "OTEL_TRACES_EXPORTER=none" in told[0]
    assert "secret" not in server.log()
