"""Through a real Envoy, by any HTTP caller."""

import contextlib
import http.client
import socket
import struct
import threading
import time

from harness import paths
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.processes import Launcher
from lib.attack import Run, attack
from lib.program import new_port

CALLERS = 10_000
TIMEOUT = 1.0
SECONDS_AFTER = 5.0


class Callers:
    """Good callers, one request after another on a connection each, until they are told to stop: status and seconds of each."""

    def __init__(self, port: int, count: int = 4):
        self._port = port
        self._stopped = False
        self.results: list[tuple[int, float]] = []
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[tuple[int, float]]:
        self._stopped = True
        for thread in self._threads:
            thread.join(30)
        return self.results

    def _call(self) -> None:
        while not self._stopped:
            start = time.monotonic()
            status = 0
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
                connection.request("GET", "/")
                status = connection.getresponse().status
                connection.close()
            self.results.append((status, time.monotonic() - start))
            time.sleep(0.05)


def hang_up(port: int, count: int) -> int:
    """Callers that send a request, and are gone a moment later, some 2,000 in a second; how many have sent theirs."""
    waiting: list[socket.socket] = []
    sent = 0
    for number in range(count):
        caller = socket.socket()
        # Gone with a reset, as a process that is killed.
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            caller.connect(("127.0.0.1", port))
            caller.sendall(b"GET /block HTTP/1.1\r\nhost: x\r\n\r\n")
            sent += 1
        waiting.append(caller)
        if len(waiting) > 60:
            waiting.pop(0).close()
        if number % 10 == 9:
            time.sleep(0.005)
    for caller in waiting:
        caller.close()
    return sent


@attack(short=False, seconds=120)
def callers_that_hang_up(run: Run) -> None:
    """10,000 callers that hang up on a processor that blocks for 20 ms"""
    count = run.size(CALLERS, CALLERS // 10)
    launcher = Launcher(run.folder)
    try:
        for processor in ("Blocks", "Offloads"):
            server = run.command(processor)
            port, admin, upstream = new_port(), new_port(), new_port()
            launcher.start("upstream", [paths.built("echo_upstream"), "--port", upstream]).wait_until_open(upstream)
            mode = Mode(request_body="NONE", response_body="NONE", response_header="SKIP")
            site = Listener("http", port, (Filter("processor", mode, message_timeout=f"{TIMEOUT:g}s"),))
            clusters = [Cluster("processor", (server.port,)), Cluster("upstream", (upstream,), http2=False)]
            Envoy(launcher, bootstrap(admin, [site], clusters), admin)
            good = Callers(port)
            start = time.monotonic()
            run.equal(f"{processor}: callers that hang up", hang_up(port, count), count)
            run.note(f"{processor}: within {time.monotonic() - start:.1f} s")
            during = len(good.results)
            time.sleep(SECONDS_AFTER)
            results = good.stop()
            for what, part, least in (("beside them", results[:during], 0.95), ("afterwards", results[during:], 0.95)):
                in_time = sum(1 for status, seconds in part if status == 200 and seconds <= TIMEOUT)
                shares = in_time / max(1, len(part))
                run.at_least(f"{processor}: share of {len(part)} good callers {what} that get 200 in time", shares, least)
            # Those who were on their way are still of the first part.
            late = results[during + 8 :]
            run.equal(f"{processor}: good callers afterwards that get a 5xx", sum(status >= 500 for status, _ in late), 0)
            run.equal(f"{processor}: exit status", server.stop(), 0)
    finally:
        launcher.stop_all()
