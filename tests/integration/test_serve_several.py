"""`extproc serve` with several processors."""

import random

import pytest
from grpc_health.v1 import health_pb2

from harness import grpc_client, http, paths
from harness.command import extproc
from harness.envoy import envoy_in_front_of
from harness.extproc import Extproc
from harness.grpc_client import check_health
from harness.processes import is_open

SERVICES = "examples.TrivialExtProcService,examples.TimerExtProcService,examples.EchoExtProcService"
SERVING = health_pb2.HealthCheckResponse.SERVING


def ports_in_a_row(count: int) -> int:
    """The first of so many free ports, below those that the system gives to connections meanwhile."""
    while True:
        first = random.randrange(20000, 32000)
        if not any(is_open(first + number) for number in range(count)):
            return first


def test_one_chain_on_one_port(own_launcher, echo_port):
    server = Extproc(own_launcher, SERVICES)
    port = envoy_in_front_of(own_launcher, server.address, echo_port)
    response = http.request(port, "POST", "/", body=b"body")
    # Of one filter and one stream.
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService,TimerExtProcService,EchoExtProcService"
    assert response.get("x-extra-request-id") and response.get("x-duration-ns")
    assert {"x-extra-request-id", "x-request-started"} <= response.json()["headers"].keys()
    echoed = http.request(port, "POST", "/", headers=[("x-echo-only", "true")], body=b"body")
    assert echoed.body == b"body"
    assert echoed.get("x-extra-request-id") and echoed.get("x-duration-ns")
    assert len(server.lines("listening on")) == 1


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_each_on_a_port_of_its_own(own_launcher, how):
    first = ports_in_a_row(3)
    flags = ["-p", first] if how == "flag" else []
    env = {"GRPC_PORT": str(first)} if how == "environment" else {}
    command = [paths.built("extproc"), "serve", "-s", SERVICES, "--separate", "-l", *flags]
    server = own_launcher.start("extproc", command, env=env)
    for number, name in enumerate(("Trivial", "Timer", "Echo")):
        server.wait_until_open(first + number)
        server.wait_for_log(f"{name}ExtProcService listening on [::]:{first + number}")
        with grpc_client.channel(first + number) as channel:
            assert check_health(channel) == SERVING
            # The processor that answers there is this one.
            assert check_health(channel, f"{name}ExtProcService") == SERVING
    server.signal(15)
    assert server.wait() == 0


def test_each_on_an_address_of_its_own(own_launcher, tmp_path):
    sockets = [tmp_path / f"{number}.sock" for number in range(3)]
    listen = [part for socket in sockets for part in ("--listen", f"unix:{socket}")]
    server = own_launcher.start("extproc", [paths.built("extproc"), "serve", "-s", SERVICES, "--separate", *listen])
    for socket in sockets:
        server.wait_until_open(socket)
    server.signal(2)
    assert server.wait() == 0
    assert not any(socket.exists() for socket in sockets)


@pytest.mark.parametrize(
    ("flags", "status", "reason"),
    [
        (("-s", "examples.TrivialExtProcService,"), 2, "empty name"),
        (("-s", "examples.TrivialExtProcService,examples.TrivialExtProcService"), 2, "named twice"),
        (("-s", SERVICES, "--separate", "--listen", "127.0.0.1:0"), 1, "an address for each of 3"),
        (("-s", SERVICES, "--separate", "-p", "65534"), 1, "choose a lower --port"),
        (("-s", SERVICES, "--separate", "--listen", "unix:/a", "-p", "1"), 2, "--listen"),
        (("-s", "examples.TrivialExtProcService", "--listen", "unix:/a", "--listen", "unix:/b"), 1, "2 times"),
    ],
)
def test_what_cannot_be_served(flags, status, reason):
    run = extproc("serve", *flags)
    assert run.returncode == status
    assert reason in run.stderr
    assert run.stderr.startswith("extproc: ") and run.stderr.count("\n") == 1
