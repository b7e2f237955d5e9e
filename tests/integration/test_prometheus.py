"""A real Prometheus scrapes real servers under load: every query of the rules and of the dashboard finds what it asks for."""

import json
import re
import threading
from dataclasses import dataclass

import grpc
import pytest

from harness import grpc_client, paths, protos, tls_client
from harness.extproc import Extproc
from harness.processes import eventually, free_port
from harness.prometheus import Prometheus
from harness.tls_server import Pki, Served

DASHBOARD = json.loads((paths.REPOSITORY / "deploy" / "grafana" / "extproc.json").read_text())
VARIABLES = {"$job": "extproc.*", "$instance": ".*", "$processor": ".*", "$__rate_interval": "10s"}
GET = {":method": "GET", ":path": "/", "x-request-id": "r1"}
# What a stream is made to do, so that all that is counted by what becomes of it has something to count.
ENDS = (None, "request_headers throw boom", "request_headers abort enough", "request_headers respond 403 no", "request_headers set host=other")
METRIC = re.compile(r"\b(?:extproc|process)_[a-z_]+\b(?!:)")


def with_values(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


QUERIES = {
    f"{panel['title']}: {target['legendFormat']}": with_values(target["expr"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
}


@dataclass
class Watched:
    prometheus: Prometheus
    scripted: Extproc
    load: "Load"


class Load:
    """Streams with all kinds of ends, one after another, until it is stopped."""

    def __init__(self, *channels: grpc.Channel):
        self._channels = channels
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.002):
            for channel in self._channels:
                for action in ENDS:
                    self._stream(channel, action)

    def _stream(self, channel: grpc.Channel, action: str | None) -> None:
        message = protos.request_headers(GET, end_of_stream=False)
        if action:
            message.request_headers.headers.headers.add(key="x-do", raw_value=action.encode())
        try:
            list(grpc_client.process(channel)(iter([message, protos.request_body(b"body")]), timeout=30))
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.FAILED_PRECONDITION), error

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module")
def watched(launcher, pki: Pki):
    """Two servers, one of them over TLS and with spans that nobody takes, and the Prometheus that has seen them at work."""
    ports = [free_port(), free_port()]
    scripted = Extproc(launcher, "test_processors.AsyncScripted", arguments=("--metrics", f"127.0.0.1:{ports[0]}"))
    secure = Served(launcher, pki, "--metrics", f"127.0.0.1:{ports[1]}", service="test_processors.Scripted")
    prometheus = Prometheus(launcher, {"extproc": ports, "other": [free_port()]})
    with scripted.channel() as clear, tls_client.channel(secure.port, pki.ca.certificate, pki.client) as encrypted:
        load = Load(clear, encrypted)
        try:
            # So that all rates have two samples, and the rules have been evaluated upon them.
            eventually(lambda: len(prometheus.values("job_processor:extproc_streams:rate5m > 0")) == 2, "rates of both", 60)
            eventually(lambda: min(prometheus.values("count_over_time(extproc_ready[1m])"), default=0) > 10, "samples", 60)
            yield Watched(prometheus, scripted, load)
        finally:
            load.stop()


def test_it_has_found_the_servers(watched):
    assert sorted(watched.prometheus.values('up{job="extproc"}')) == [1, 1]
    assert watched.prometheus.values("extproc_ready") == [1, 1]


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_of_the_dashboard_has_series(watched, name):
    query = QUERIES[name]
    assert "$" not in query
    eventually(lambda: watched.prometheus.query(query), f"series of {query}", 20)


def test_what_the_variables_of_the_dashboard_ask_for_is_there(watched):
    for variable in DASHBOARD["templating"]["list"]:
        if match := re.fullmatch(r"label_values\((.+), (\w+)\)", variable.get("definition", "")):
            series = watched.prometheus.query(with_values(match[1]))
            assert all(each["metric"][match[2]] for each in series)
            assert series


def test_rules_are_evaluated_without_an_error(watched):
    groups = watched.prometheus.get("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 30
    assert [rule for rule in rules if rule["health"] != "ok" or rule.get("lastError")] == []


def test_recorded_rates_have_series(watched):
    groups = watched.prometheus.get("rules")["groups"]
    recorded = [rule["name"] for group in groups for rule in group["rules"] if rule["type"] == "recording"]
    assert recorded
    assert [name for name in recorded if not watched.prometheus.query(name)] == []


def test_each_metric_that_a_rule_names_is_there(watched):
    groups = watched.prometheus.get("rules")["groups"]
    named = {name for group in groups for rule in group["rules"] for name in METRIC.findall(rule["query"])}
    assert len(named) > 20
    assert sorted(name for name in named if not watched.prometheus.query(name)) == []


def test_alerts_fire_for_what_is_wrong_alone(watched):
    """The load has errors, and a target of another job is down."""

    def active() -> set[str]:
        return {alert["labels"]["alertname"] for alert in watched.prometheus.get("alerts")["alerts"]}

    wrong = {"ExtprocErrors", "ExtprocHandlerFailures", "ExtprocMisusedAnswers"}
    eventually(lambda: wrong <= active(), "alerts about errors", 20)
    # A machine that is busy with other things shows in the loops' lag and in how long handlers take.
    busy = {"ExtprocLoopLag", "ExtprocSlowAnswers", "ExtprocAnswersTooLate"}
    also = {"ExtprocSomeErrors", "ExtprocCertificateExpires", "ExtprocCertificateExpiresTomorrow", "ExtprocLogLinesLost"}
    assert active() <= wrong | also | busy


def test_a_server_that_is_gone_is_told(watched):
    watched.load.stop()
    watched.scripted.process.stop()
    eventually(lambda: 0 in watched.prometheus.values('up{job="extproc"}'), "the target to be down", 20)

    def pending() -> list:
        alerts = watched.prometheus.get("alerts")["alerts"]
        return [alert for alert in alerts if alert["labels"]["alertname"] == "ExtprocDown"]

    (alert,) = eventually(pending, "the alert", 20)
    assert alert["state"] == "pending"
