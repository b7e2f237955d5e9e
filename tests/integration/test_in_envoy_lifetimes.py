"""Processors inside Envoy: callers that go away, listeners that change, and an Envoy that ends, while handlers wait. In the gate a
few of each; EXTPROC_INSIDE_TIMES=9 has 28,800 callers and 54 of each other, as check-all does."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Listener, Mode, bootstrap
from harness.inside import Inside, envoy_with, environment
from harness.lab import STREAMED
from harness.processes import eventually, free_port

STYLES = ("AsyncScripted", "BlockingScripted")
TIMES = int(os.environ.get("EXTPROC_INSIDE_TIMES", "1"))


def _start(launcher, upstream: int, mode: Mode = STREAMED):
    ports = {style: free_port() for style in STYLES}
    listeners = [Listener(style, ports[style], (Inside((f"test_processors.{style}",), mode),)) for style in STYLES]
    return ports, envoy_with(launcher, listeners, upstream)


@pytest.fixture(scope="module")
def busy(launcher, raw_port):
    return _start(launcher, raw_port)


async def _leave(port: int, phase: str, after: float) -> None:
    """A request whose caller goes away."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST / HTTP/1.1\r\nhost: x\r\nx-do: {phase} sleep 20\r\ncontent-length: 4\r\n\r\nbody"
    writer.write(head.encode())
    await asyncio.sleep(after)
    writer.transport.abort()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("phase", ["request_headers", "request_body", "response_headers", "response_body"])
def test_callers_that_go_away_while_a_handler_waits(busy, style, phase):
    ports, envoy = busy

    async def many() -> None:
        for wave in range(8 * TIMES):
            await asyncio.gather(*(_leave(ports[style], phase, 0.001 * (i % 25)) for i in range(50)))

    asyncio.run(many())
    envoy.process.check_alive()

    def nothing_kept() -> bool:
        # A worker tells Envoy with the end of a request.
        response = http.request(ports[style], "POST", "/", body=b"body")
        assert (response.status, response.body) == (200, b"body")
        return not any(envoy.stats(r"extproc\.memory_bytes$").values())

    eventually(nothing_kept, "nothing to be kept", 20)


@contextmanager
def _load(port: int) -> Iterator[list[int]]:
    """Requests of eight callers with handlers that wait; the statuses that came."""
    stop, statuses = threading.Event(), []

    def ask() -> None:
        do = [("x-do", "request_headers sleep 30"), ("x-do", "response_body sleep 30")]
        while not stop.is_set():
            try:
                statuses.append(http.request(port, "POST", "/", headers=do, body=b"body").status)
            except (OSError, AssertionError, asyncio.IncompleteReadError, ValueError):
                time.sleep(0.01)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("time_of_signal", range(3 * TIMES))
def test_an_end_under_load(own_launcher, raw_port, style, time_of_signal):
    ports, envoy = _start(own_launcher, raw_port)
    with _load(ports[style]):
        time.sleep(0.3 + 0.05 * (time_of_signal % 6))
        envoy.process.signal(signal.SIGTERM)
        code = envoy.process.wait(20)
    assert code == 0, envoy.process.log()[-4000:]


@pytest.mark.parametrize("style", STYLES)
def test_listeners_that_change_under_load(own_launcher, tmp_path, raw_port, style):
    """Each update has a new filter in place of the one before, whose handlers still wait."""
    port, admin, file = free_port(), free_port(), tmp_path / "listeners.json"

    def update(number: int) -> None:
        filter_ = Inside((f"test_processors.{style}",), STREAMED, extra={"applied_header": f"x-chain-{number}"})
        kind = {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener"}
        new = tmp_path / "new.json"
        new.write_text(json.dumps({"version_info": str(number), "resources": [kind | Listener(style, port, (filter_,)).to_json()]}))
        new.rename(file)

    update(0)
    config = bootstrap(admin, [], [Cluster("upstream", (raw_port,), http2=False, trailers=True)])
    config["node"] = {"id": "test", "cluster": "test"}
    config["dynamic_resources"] = {"lds_config": {"path_config_source": {"path": str(file), "watched_directory": {"path": str(tmp_path)}}}}
    envoy = Envoy(own_launcher, config, admin, env=environment(), flags=("--drain-time-s", "1"))

    def of(number: int) -> bool:
        return http.request(port, "POST", "/", body=b"body").get(f"x-chain-{number}") is not None

    with _load(port) as statuses:
        for number in range(1, 3 * TIMES + 1):
            update(number)
            eventually(lambda: of(number), f"listener {number} to answer")
    assert set(statuses) == {200}, f"of {len(statuses)} requests some failed"
    envoy.process.check_alive()
    eventually(lambda: envoy.stats(r"listener_manager\.total_listeners_draining$")["listener_manager.total_listeners_draining"] == 0, "no listener to drain", 20)
    assert envoy.stats(r"listener_manager\.lds\.update_rejected$")["listener_manager.lds.update_rejected"] == 0
    envoy.process.signal(signal.SIGTERM)
    assert envoy.process.wait(20) == 0, envoy.process.log()[-4000:]
