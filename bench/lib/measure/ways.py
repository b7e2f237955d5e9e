"""One processor served in several ways, side by side: with TLS, with metrics, with traces."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lib import conformance, loads, servers
from lib.measure.direct import measure_cases
from lib.plan import DIRECT_CONCURRENCY, DIRECT_CONNECTIONS
from lib.servers import Running
from lib.session import Session


@dataclass(frozen=True)
class Way:
    """A server, and what it is reached with."""

    command: list
    env: dict[str, str] = field(default_factory=dict)
    ca: Path | None = None


@contextmanager
def running(session: Session, ways: dict[str, Way]) -> Iterator[dict[str, Running]]:
    """The servers, started and checked for right answers."""
    started: dict[str, Running] = {}
    try:
        for name, way in ways.items():
            started[name] = servers.start(session.launcher, name, way.command, env=way.env)
            with session.guarded(started, name):
                conformance.check(name, started[name].endpoint, "headers", tls_ca=way.ca)
        yield started
    finally:
        for server in started.values():
            server.stop()


def measure_direct(session: Session, measurement: str, ways: dict[str, Way], started: dict[str, Running]) -> None:
    """Two-message streams straight to each."""

    def loader(name: str):
        return lambda count: loads.bench_load(
            session.files, started[name].address, count, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY, tls_ca=ways[name].ca
        )

    measure_cases(session, started, measurement, "direct", session.scale.rounds, loader)
