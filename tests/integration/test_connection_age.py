"""Connections that end in turn, and certificates that change, under load: no request is lost."""

import asyncio
import os
import time

import grpc
import pytest

from harness import grpc_client, http, over_tls, paths, protos
from harness.certificates import Authority, Pair
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.extproc import Extproc
from harness.processes import free_port

TRIVIAL = "examples.TrivialExtProcService"
HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
# A minute in `make check-all`.
RELOADS_SECONDS = float(os.environ.get("EXTPROC_RELOADS_SECONDS", "10"))
CONNECTIONS = 8


def envoy_in_front(launcher, port: int, upstream: int, transport: dict | None = None) -> tuple[int, Envoy]:
    listener, admin = free_port(), free_port()
    clusters = [Cluster("processor", (port,), transport_socket=transport), Cluster("upstream", (upstream,), http2=False)]
    filters = (Filter("processor", HEADERS_ONLY),)
    return listener, Envoy(launcher, bootstrap(admin, [Listener("http", listener, filters)], clusters), admin)


async def statuses_while(port: int, work) -> list[int]:
    """Of requests without a break on a few connections, while `work` runs."""
    statuses: list[int] = []
    over = False

    async def send() -> None:
        connection = await http.Connection.open(port)
        while not over:
            statuses.append((await connection.request("GET", "/")).status)
        connection.close()

    senders = [asyncio.create_task(send()) for _ in range(CONNECTIONS)]
    await work()
    over = True
    await asyncio.gather(*senders)
    return statuses


def test_connections_end_in_turn(own_launcher, echo_port):
    server = Extproc(own_launcher, TRIVIAL, arguments=("--max-connection-age", "0.5", "--max-connection-age-grace", "5"))
    port, envoy = envoy_in_front(own_launcher, server.address, echo_port)
    statuses = asyncio.run(statuses_while(port, lambda: asyncio.sleep(4)))
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


def test_ten_reloads_at_full_speed(own_launcher, echo_port, tmp_path):
    authority = Authority(tmp_path)
    folder = tmp_path / "used"
    folder.mkdir()
    pair = Pair(folder / "tls.crt", folder / "tls.key")

    def put(new: Pair) -> None:
        for source, target in ((new.certificate, pair.certificate), (new.key, pair.key)):
            written = target.with_suffix(".new")
            written.write_bytes(source.read_bytes())
            written.rename(target)

    put(authority.server())
    port = free_port()
    flags = over_tls.serve_flags(tmp_path, pair)
    command = [paths.built("extproc"), "serve", "-s", TRIVIAL, "--listen", f"127.0.0.1:{port}", "-l", *flags, "--max-connection-age", "0.5"]
    process = own_launcher.start("reloaded", command)
    process.wait_until_open(port)
    transport = over_tls.transport_socket(authority.certificate, authority.client())
    listener, envoy = envoy_in_front(own_launcher, port, echo_port, transport)

    async def reload() -> None:
        for _ in range(10):
            put(authority.server())
            await asyncio.sleep(RELOADS_SECONDS / 10)

    statuses = asyncio.run(statuses_while(listener, reload))
    assert len(statuses) > 100 and set(statuses) == {200}
    assert envoy.ext_proc_failures() == {}
    assert process.log().count("what was read anew counts for new connections") == 10
    assert "ERROR" not in process.log()
    failed = envoy.stats(r"cluster\.processor\.(ssl\.connection_error|upstream_cx_connect_fail)")
    assert not any(failed.values())
