"""`--metrics`: the figures are right, they are what Prometheus reads, and nobody can make more of them by what he sends."""

import asyncio
from collections import Counter

import grpc
import pytest

from harness import protos
from harness.grpc_client import Requests, process
from harness.lab import WITH_TRAILERS
from harness.load import Load
from harness.metrics import OPENMETRICS, Measured, Scrape, get, lint
from harness.processes import eventually
from harness.stage import Site, Stage

GET = {":method": "GET", ":path": "/"}
SCRIPTED = "test_processors.Scripted"
ALL = ("--metrics-sample", "1", "--no-early-end")


@pytest.fixture(scope="module")
def stage(launcher, raw_port) -> Stage:
    servers = {
        "Scripted": Measured(launcher, SCRIPTED, ALL),
        "Waits": Measured(launcher, "test_processors.AsyncScripted", ALL),
    }
    sites = [
        Site("Scripted", ("Scripted",), WITH_TRAILERS),
        Site("Waits", ("Waits",), WITH_TRAILERS, message_timeout="0.2s"),
    ]
    return Stage(launcher, servers, sites, raw_port)


def call(server: Measured, *messages) -> list:
    with server.channel() as chan:
        return list(process(chan)(iter(messages), timeout=10))


def do(action: str):
    """Request headers that ask for it."""
    return protos.request_headers(GET | {"x-do": action})


def test_counts_are_those_of_the_requests(launcher):
    server = Measured(launcher, SCRIPTED, ALL)
    streams, phases, received = Counter(), Counter(), Counter()
    with server.channel() as chan:
        stub = process(chan)
        for size in (0, 1, 70_000):
            body = protos.request_body(b"x" * size)
            answers = list(stub(iter([protos.request_headers(GET, end_of_stream=False), body]), timeout=10))
            assert len(answers) == 2
            streams["OK",] += 1
            for phase in ("request_headers", "request_body"):
                phases[phase, "answered"] += 1
                received["received", phase] += 1
        for status in (200, 301, 404, 503):
            answers = list(stub(iter([do(f"request_headers respond {status} no")]), timeout=10))
            assert answers[0].HasField("immediate_response")
            streams["OK",] += 1
            phases["request_headers", "immediate"] += 1
            received["received", "request_headers"] += 1
        for action, outcome in (("throw broken", "failed"), ("abort enough", "aborted")):
            with pytest.raises(grpc.RpcError) as error:
                list(stub(iter([do(f"request_headers {action}")]), timeout=10))
            streams[error.value.code().name,] += 1
            phases["request_headers", outcome] += 1
            received["received", "request_headers"] += 1
        with pytest.raises(grpc.RpcError):
            list(stub(iter([b"\xff"]), timeout=10))
        streams["INTERNAL",] += 1
        received["received", "none"] += 1
        number = streams.total()
        found = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == number, "all streams are over")
    assert found.counted("extproc_streams_total", "code") == streams
    assert found.value("extproc_streams_started_total") == number
    assert found.value("extproc_streams_inflight") == 0
    assert found.counted("extproc_phases_total", "phase", "outcome") == phases
    sent = {("sent", "request_headers"): 3 + 4, ("sent", "request_body"): 3}
    assert found.counted("extproc_messages_total", "direction", "phase") == {**received, **sent}
    assert found.counted("extproc_body_bytes_total", "direction", "phase") == {
        ("received", "request_body"): 70_001,
        ("sent", "request_headers"): 4 * len("no"),
    }
    assert found.counted("extproc_immediate_responses_total", "phase", "status_class") == {
        ("request_headers", status_class): 1 for status_class in ("2xx", "3xx", "4xx", "5xx")
    }
    assert found.value("extproc_handler_failures_total") == 1
    assert found.value("extproc_malformed_messages_total") == 1
    assert found.value("extproc_stream_duration_seconds_count") == number
    for phase in ("request_headers", "request_body"):
        ended = sum(count for (name, _), count in phases.items() if name == phase)
        assert found.value("extproc_phase_duration_seconds_count", phase=phase) == ended
    assert found.value("extproc_connections_open") == 1
    # The test looked whether the port was open before.
    assert found.value("extproc_connections_accepted_total") >= 1


def test_durations_are_those_of_the_handlers(launcher):
    server = Measured(launcher, SCRIPTED, ALL)
    for _ in range(3):
        call(server, do("request_headers sleep 60"))
    call(server, protos.request_headers(GET))
    found = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 4, "all streams are counted")
    for name, labels in (("extproc_phase_duration_seconds", {"phase": "request_headers"}), ("extproc_stream_duration_seconds", {})):
        assert found.value(f"{name}_sum", **labels) >= 3 * 0.06
        assert found.value(f"{name}_count", **labels) == 4
        below = found.value(f"{name}_bucket", le="0.03", **labels)
        assert below <= 1, "none of the three that slept is among the quick ones"
    assert len(found.of("extproc_loop_lag_seconds")) >= 1
    assert found.value("extproc_message_timeout_seconds") == 0.2


def test_one_of_so_many_is_timed(launcher):
    server = Measured(launcher, SCRIPTED, ("--metrics-sample", "1000000"))
    for _ in range(20):
        call(server, protos.request_headers(GET))
    found = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 20, "all streams are counted")
    assert found.value("extproc_phases_total", phase="request_headers") == 20
    assert found.value("extproc_stream_duration_seconds_count") < 20
    assert "of 1 of 1000000 streams" in found.families["extproc_phase_duration_seconds"].documentation


def test_envoy_ends_streams_in_order(stage):
    """By a reset: nothing was owed. Where it does not wait any longer, an answer is."""
    for _ in range(5):
        assert stage.request("Scripted", "POST", body=b"body", trailers=[("t", "1")]).status == 200
    assert stage.request("Scripted", do=["request_headers respond 403 no"]).status == 403
    server = stage.servers["Scripted"]
    found = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 6, "all streams are over")
    assert found.counted("extproc_streams_total", "code") == {("OK",): 6}
    assert found.counted("extproc_messages_total", "direction", "phase")["received", "request_trailers"] == 5

    assert stage.request("Waits", do=["request_headers sleep 1500"]).status == 504
    found = stage.servers["Waits"].scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 1, "the stream is over")
    assert found.counted("extproc_streams_total", "code") == {("CANCELLED",): 1}
    assert found.counted("extproc_phases_total", "phase", "outcome") == {("request_headers", "cancelled"): 1}


def test_a_broken_rule_has_its_name(stage):
    server = stage.servers["Scripted"]
    before = server.scrape().counted("extproc_misused_answers_total", "rule")
    stage.request("Scripted", do=["request_headers remove host"])
    after = server.scrape().counted("extproc_misused_answers_total", "rule")
    assert {rule: count - before.get(rule, 0) for rule, count in after.items()} == {("header_not_removable",): 1}


def test_promtool_finds_nothing(stage):
    port = stage.servers["Scripted"].metrics_port
    assert lint(get(port)[2]) == ""
    assert lint("extproc_a 1\n") != ""


def test_prometheus_clients_read_both_formats(stage):
    port = stage.servers["Scripted"].metrics_port
    status, content_type, text = get(port)
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    as_text = Scrape(text)
    status, content_type, text = get(port, accept=OPENMETRICS)
    assert (status, content_type) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    as_openmetrics = Scrape(text, openmetrics=True)
    assert as_text.samples.keys() == as_openmetrics.samples.keys()
    assert as_openmetrics.families["extproc_phase_duration_seconds"].unit == "seconds"
    assert as_openmetrics.families["extproc_build"].type == "info"


def test_exemplars_name_traces(launcher):
    """Of a stream whose parent is sampled, though durations are sampled almost never."""
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    server = Measured(launcher, SCRIPTED, ("--metrics-sample", "1000000"), env=nowhere)
    trace = "0af7651916cd43dd8448eb211c80319c"
    with server.channel() as chan:
        for flags, number in (("00", 0), ("01", 1)):
            metadata = [("traceparent", f"00-{trace[:-1]}{number}-b7ad6b7169203331-{flags}")]
            list(process(chan)(iter([protos.request_headers(GET)]), timeout=10, metadata=metadata))
    server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 2, "both streams are over")
    found = Scrape(get(server.metrics_port, accept=OPENMETRICS)[2], openmetrics=True)
    assert found.value("extproc_stream_duration_seconds_count") == 1
    names = {name for name, _ in found.exemplars}
    assert names == {"extproc_stream_duration_seconds_bucket", "extproc_phase_duration_seconds_bucket"}
    for exemplar in found.exemplars.values():
        assert exemplar.labels["trace_id"] == trace[:-1] + "1"
        assert exemplar.labels["span_id"] != "b7ad6b7169203331"
        assert exemplar.value > 0


def test_odd_requests_make_no_series(launcher):
    server = Measured(launcher, SCRIPTED, ALL)
    call(server, protos.request_headers(GET))
    names = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 1, "the stream is over")
    odd = 'evil"} 1\nextproc_evil_total{a="'
    for number in range(200):
        headers = {":method": f"M{number}", ":path": f"/{odd}{number}", "x-request-id": f"{odd}{number}", "host": f"h{number}"}
        headers["x-do"] = f"request_headers respond {200 + number} {odd}"
        call(server, protos.request_headers(headers))
        get(server.metrics_port, f"/{number}")
    after = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 201, "all streams are over")
    assert after.samples.keys() == names.samples.keys()
    assert not [value for value in after.label_values() if "evil" in value]


def test_a_chain_and_its_processors(launcher):
    server = Measured(launcher, "test_processors.RequestHeadersOnly,test_processors.Counted", ALL)
    call(server, do("request_headers remove host"))
    found = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 1, "the stream is over")
    phases = found.counted("extproc_phases_total", "processor", "outcome")
    assert len(phases) == 3 and all(count == 1 for count in phases.values())
    assert phases["RequestHeadersOnly", "answered"] == phases["Counted", "answered"] == 1
    assert found.counted("extproc_misused_answers_total", "processor", "rule") == {
        ("RequestHeadersOnly", "header_not_removable"): 1
    }
    assert len(found.of("extproc_ready")) == 1


def test_several_servers_share_an_address(launcher):
    server = Measured(launcher, f"test_processors.Counted,{SCRIPTED}", ("--separate", *ALL))
    call(server, protos.request_headers(GET))
    found = server.scrape_when(lambda scrape: scrape.value("extproc_streams_total") == 1, "the stream is over")
    assert {dict(series)["processor"]: value for series, value in found.of("extproc_ready").items()} == {
        "Counted": 1,
        "Scripted": 1,
    }


def test_metrics_of_a_module(launcher):
    server = Measured(launcher, "test_processors.Counted", ALL)
    for count in (2, 3, 5):
        call(server, protos.request_headers(GET | {f"x-{i}": "1" for i in range(count - 2)}))
    found = server.scrape()
    assert found.of("test_requests_total") == {frozenset({("by", 'module "counted"')}): 3}
    assert found.value("test_headers_bucket", le="2.0") == 1
    assert found.value("test_headers_bucket", le="3.0") == 2
    assert found.value("test_headers_bucket", le="+Inf") == 3
    assert found.value("test_headers_sum") == 10
    assert found.value("test_last_headers") == 5
    assert lint(get(server.metrics_port)[2]) == ""


def test_readiness_through_a_drain(launcher):
    server = Measured(launcher, SCRIPTED, ("-g", "20"))
    assert get(server.metrics_port, "/healthz")[:1] == (200,)
    assert get(server.metrics_port, "/readyz")[2] == "ready\n"
    requests = Requests(protos.request_headers(GET))
    with server.channel() as chan:
        answers = process(chan)(iter(requests), timeout=30)
        next(answers)
        server.process.signal(15)
        eventually(lambda: get(server.metrics_port, "/readyz")[0] == 503, "it is not ready any more")
        status, _, text = get(server.metrics_port, "/readyz")
        assert (status, text) == (503, "not ready: Scripted\n")
        assert server.scrape().value("extproc_ready") == 0
        requests.close()
        list(answers)
    assert server.process.wait() == 0


def test_scrapes_under_load(stage):
    """None fails, and counts only grow."""

    async def load() -> None:
        running = Load(stage.ports["Scripted"], 8)
        server = stage.servers["Scripted"]
        last = Scrape(await asyncio.to_thread(lambda: get(server.metrics_port)[2]))
        for _ in range(20):
            await running.reach(50)
            now = Scrape(await asyncio.to_thread(lambda: get(server.metrics_port)[2]))
            assert now.samples.keys() == last.samples.keys()
            for key, value in last.samples.items():
                if key[0].endswith(("_total", "_count", "_bucket")):
                    assert now.samples[key] >= value, key
            last = now
        await running.stop()
        assert set(running.statuses) == {200}

    asyncio.run(load())


def test_nothing_listens_unless_it_is_asked_for(trivial):
    assert "metrics" not in trivial.process.log()
