"""What metrics cost: extproc without, and with all that a scrape says."""

import urllib.request

from harness.processes import free_port

from lib import conformance, loads, servers
from lib.errors import BenchError
from lib.measure.direct import measure_cases
from lib.plan import DIRECT_CONCURRENCY, DIRECT_CONNECTIONS, METRICS_NONE, METRICS_ON
from lib.session import Session

NAME = "metrics"


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    started: dict[str, servers.Running] = {}
    port = free_port()
    options = {METRICS_NONE: [], METRICS_ON: ["--metrics", f"127.0.0.1:{port}"]}
    try:
        for name, option in options.items():
            started[name] = servers.start(session.launcher, name, [*session.commands["extproc"], *option])
            with session.guarded(started, name):
                conformance.check(name, started[name].endpoint, "headers")

        def loader(name: str):
            return lambda count: loads.bench_load(
                session.files, started[name].address, count, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY
            )

        measure_cases(session, started, NAME, "direct", session.scale.rounds, loader)
        if METRICS_ON in started and not _streams(port):
            raise BenchError("no stream was counted where metrics are on")
    finally:
        for server in started.values():
            server.stop()


def _streams(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("extproc_streams_total{"))
