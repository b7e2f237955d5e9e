"""Connections that end in turn: no request is lost, and long streams have the time that they are given."""

import asyncio
import time

import grpc
import pytest

from harness import grpc_client, protos
from harness.envoy import envoy_in_front
from harness.envoy_config import Mode
from harness.extproc import Extproc
from harness.load import Load

TRIVIAL = "examples.TrivialExtProcService"
HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")


def test_connections_end_in_turn(own_launcher, echo_port):
    server = Extproc(own_launcher, TRIVIAL, arguments=("--max-connection-age", "0.5", "--max-connection-age-grace", "5"))
    port, envoy = envoy_in_front(own_launcher, server.address, echo_port, HEADERS_ONLY)

    async def run() -> list[int]:
        load = Load(port, connections=8)
        await asyncio.sleep(4)
        await load.stop()
        return load.statuses

    statuses = asyncio.run(run())
    assert len(statuses) > 100 and set(statuses) == {200}
    assert envoy.ext_proc_failures() == {}
    opened = envoy.stats(r"cluster\.processor\.upstream_cx_total")["cluster.processor.upstream_cx_total"]
    # Each of Envoy's two threads has one at a time, for half a second, a tenth more or less.
    assert 8 <= opened <= 24


def test_streams_are_cut_when_the_grace_is_over(own_launcher):
    server = Extproc(own_launcher, TRIVIAL, arguments=("--max-connection-age", "0.3", "--max-connection-age-grace", "0.5"))
    with server.channel() as channel:
        requests = grpc_client.Requests(protos.ProcessingRequest(request_body={"body": b"a"}))
        call = grpc_client.process(channel)(iter(requests))
        begin = time.monotonic()
        with pytest.raises(grpc.RpcError) as error:
            list(call)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "max_connection_age" in error.value.details()
        assert 0.7 < time.monotonic() - begin < 3
        requests.close()
    assert "WARNING" in server.process.wait_for_log("older than Limits::max_connection_age and its grace")


def test_without_a_grace_streams_take_as_long_as_they_take(own_launcher):
    server = Extproc(own_launcher, TRIVIAL, arguments=("--max-connection-age", "0.2"))
    with server.channel() as channel:
        requests = grpc_client.Requests(protos.ProcessingRequest(request_headers={}))
        call = grpc_client.process(channel)(iter(requests))
        next(call)
        time.sleep(1.5)
        requests.send(protos.ProcessingRequest(response_headers={}))
        next(call)
        requests.close()
