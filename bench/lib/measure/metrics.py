"""What metrics cost: extproc without, and with all that a scrape says."""

import urllib.request

from harness.processes import free_port

from lib.errors import BenchError
from lib.measure.ways import Way, measure_direct, running
from lib.plan import METRICS_NONE, METRICS_ON
from lib.session import Session

NAME = "metrics"


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    command = session.commands["extproc"]
    port = free_port()
    ways = {METRICS_NONE: Way(command), METRICS_ON: Way([*command, "--metrics", f"127.0.0.1:{port}"])}
    with running(session, ways) as started:
        measure_direct(session, NAME, ways, started)
        if METRICS_ON in started and not _streams(port):
            raise BenchError("no stream was counted where metrics are on")


def _streams(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("extproc_streams_total{"))
