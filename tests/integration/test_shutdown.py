"""SIGTERM and SIGINT: idle, with open streams, and under load with a second replica."""

import asyncio
import json
import signal
import time

import grpc
import pytest
import yaml

from harness import http, protos
from harness.command import config
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, bootstrap, grpc_health_check
from harness.extproc import Extproc
from harness.grpc_client import Requests, process
from harness.load import Load
from harness.processes import eventually, free_port

TRIVIAL = "examples.TrivialExtProcService"
GET = {":method": "GET", ":path": "/"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_server_ends_at_once(own_launcher, number):
    server = Extproc(own_launcher, TRIVIAL)
    server.process.signal(number)
    start = time.monotonic()
    assert server.process.wait() == 0
    assert time.monotonic() - start < 5


def test_second_signal_ends_at_once(own_launcher):
    server = Extproc(own_launcher, TRIVIAL, arguments=("-g", "60"))
    with server.channel() as channel:
        requests = Requests(protos.request_headers(GET))
        call = process(channel)(iter(requests), timeout=30)
        next(call)
        server.process.signal(signal.SIGTERM)
        # The handlers of signals run in order, so the first has been seen once the log tells.
        server.process.wait_for_log("shut")
        server.process.signal(signal.SIGTERM)
        start = time.monotonic()
        server.process.wait()
        assert time.monotonic() - start < 2
        requests.close()


def test_open_stream_may_finish(own_launcher):
    server = Extproc(own_launcher, TRIVIAL, arguments=("-g", "20"))
    with server.channel() as channel:
        requests = Requests(protos.request_headers(GET))
        call = process(channel)(iter(requests), timeout=30)
        next(call)
        server.process.signal(signal.SIGTERM)
        server.process.wait_for_log("shut")
        requests.send(protos.response_headers({":status": "200"}))
        assert next(call).HasField("response_headers")
        requests.close()
        assert list(call) == []
        assert server.process.wait() == 0


def test_open_stream_ends_with_unavailable_after_the_grace_period(own_launcher):
    server = Extproc(own_launcher, TRIVIAL, arguments=("-g", "1"))
    with server.channel() as channel:
        requests = Requests(protos.request_headers(GET))
        call = process(channel)(iter(requests), timeout=30)
        next(call)
        server.process.signal(signal.SIGTERM)
        start = time.monotonic()
        with pytest.raises(grpc.RpcError) as error:
            list(call)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        assert 0.5 < time.monotonic() - start < 4
        requests.close()
        assert server.process.wait() == 0


@pytest.fixture
def replicas(own_launcher, echo_port):
    """Two replicas of a processor behind one filter that fails closed, with health checks at short intervals."""
    servers = [Extproc(own_launcher, TRIVIAL, arguments=("-g", "10")) for _ in range(2)]
    port, admin = free_port(), free_port()
    addresses = tuple(server.address for server in servers)
    clusters = [
        Cluster("processor", addresses, health_check=grpc_health_check("0.1s")),
        Cluster("upstream", (echo_port,), http2=False),
    ]
    envoy = Envoy(own_launcher, bootstrap(admin, [Listener("http", port, (Filter("processor"),))], clusters), admin)
    envoy.wait_for_healthy("processor", 2)
    return servers, port, envoy


def test_sigterm_under_load_costs_no_request(replicas):
    servers, port, envoy = replicas

    async def run() -> list[int]:
        load = Load(port, connections=16)
        await load.reach(300)
        servers[0].process.signal(signal.SIGTERM)
        while servers[0].process.exit_code() is None:
            await load.reach(20)
        await load.reach(300)
        await load.stop()
        return load.statuses

    statuses = asyncio.run(run())
    assert set(statuses) == {200}
    assert servers[0].process.wait() == 0
    assert envoy.ext_proc_failures() == {}
    # Both had a share of the load before.
    assert envoy.stats(r"^cluster\.processor\.upstream_cx_total$")["cluster.processor.upstream_cx_total"] >= 2


@pytest.mark.parametrize("name", ["/default/processor/extproc/0", "outbound|50051||processor.default.svc.cluster.local"])
def test_health_checks_of_clusters_with_names_as_gateways_give_them(own_launcher, echo_port, name):
    """Which is their :authority, if nothing else is."""
    server = Extproc(own_launcher, TRIVIAL)
    port, admin = free_port(), free_port()
    clusters = [Cluster(name, (server.address,), health_check=grpc_health_check("0.1s")), Cluster("upstream", (echo_port,), http2=False)]
    envoy = Envoy(own_launcher, bootstrap(admin, [Listener("http", port, (Filter(name),))], clusters), admin)
    eventually(lambda: envoy.stats(r"membership_healthy$")[f"cluster.{name}.membership_healthy"] == 1, "a healthy endpoint")
    assert sum(envoy.stats(r"health_check\.failure$").values()) == 0


def test_a_replica_that_is_killed_costs_what_it_had_begun(own_launcher, echo_port):
    """Behind what `extproc config` writes: its retry policy, and as many retries as it takes."""
    replicas = [Extproc(own_launcher, TRIVIAL) for _ in range(2)]
    port, admin, callers, each = free_port(), free_port(), 16, 100
    text = config(
        "-s", TRIVIAL, "--address", f"127.0.0.1:{replicas[0].address}", "--listen", f"127.0.0.1:{port}",
        "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{echo_port}",
    )  # fmt: skip
    root = yaml.safe_load(text)
    endpoints = root["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    other = json.loads(json.dumps(endpoints[0]))
    other["endpoint"]["address"]["socket_address"]["port_value"] = replicas[1].address
    endpoints.append(other)
    envoy = Envoy(own_launcher, root, admin)
    envoy.wait_for_healthy("trivial-ext-proc-service", 2)
    answered = 0

    async def call() -> int:
        nonlocal answered
        lost = 0
        connection = await http.Connection.open(port)
        for _ in range(each):
            response = await connection.request("GET", "/")
            lost += response.status != 200
            answered += 1
            if answered == callers * each // 4:
                replicas[0].process.signal(signal.SIGKILL)
        connection.close()
        return lost

    async def call_all() -> int:
        return sum(await asyncio.gather(*(call() for _ in range(callers))))

    assert asyncio.run(call_all()) <= callers
    retries = envoy.stats(r"^cluster\.trivial-ext-proc-service\.upstream_rq_retry_success$")
    assert sum(retries.values()) > callers
