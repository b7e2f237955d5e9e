"""Processors inside Envoy: callers that go away, and an Envoy that ends, while handlers wait."""

import asyncio
import signal
import threading
import time

import pytest

from harness import http
from harness.envoy_config import Listener, Mode
from harness.inside import Inside, envoy_with
from harness.lab import STREAMED
from harness.processes import eventually, free_port

STYLES = ("AsyncScripted", "BlockingScripted")


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
        for wave in range(8):
            await asyncio.gather(*(_leave(ports[style], phase, 0.001 * (i % 25)) for i in range(50)))

    asyncio.run(many())
    envoy.process.check_alive()

    def nothing_kept() -> bool:
        # A worker tells Envoy with the end of a request.
        response = http.request(ports[style], "POST", "/", body=b"body")
        assert (response.status, response.body) == (200, b"body")
        return not any(envoy.stats(r"extproc\.memory_bytes$").values())

    eventually(nothing_kept, "nothing to be kept", 20)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("time_of_signal", range(3))
def test_an_end_under_load(own_launcher, raw_port, style, time_of_signal):
    ports, envoy = _start(own_launcher, raw_port)
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            try:
                do = [("x-do", "request_headers sleep 30"), ("x-do", "response_body sleep 30")]
                http.request(ports[style], "POST", "/", headers=do, body=b"body")
            except (OSError, AssertionError, asyncio.IncompleteReadError, ValueError):
                time.sleep(0.01)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3 + 0.05 * time_of_signal)
    envoy.process.signal(signal.SIGTERM)
    code = envoy.process.wait(20)
    stop.set()
    for thread in threads:
        thread.join()
    assert code == 0, envoy.process.log()[-4000:]
