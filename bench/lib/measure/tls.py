"""What TLS costs: extproc in clear text and over TLS, and grpc++ over TLS; and what an idle connection keeps."""

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import over_tls
from harness.certificates import Authority, Pair

from lib import conformance, loads, servers
from lib.envoy import BenchEnvoy, Route
from lib.errors import Missing
from lib.measure.direct import measure_cases
from lib.measure.envoy import measure_routes, warm_up
from lib.measure.memory import hold
from lib.meter import settled_bytes
from lib.plan import (
    DIRECT_CONCURRENCY,
    DIRECT_CONNECTIONS,
    TLS_CLEAR,
    TLS_CONNECTIONS,
    TLS_GRPCPP,
    TLS_OURS,
    order,
)
from lib.servers import Running
from lib.session import Session

NAME = "tls"


@dataclass(frozen=True)
class _Way:
    """A server, and what it is reached with."""

    command: list
    ca: Path | None = None

    @property
    def transport_socket(self) -> dict | None:
        return over_tls.transport_socket(self.ca) if self.ca else None


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    try:
        ways = _ways(session)
    except Missing as missing:
        session.exclude("TLS", str(missing))
        return
    _measure_direct(session, ways)
    _measure_envoy(session, {name: ways[name] for name in (TLS_CLEAR, TLS_OURS)})
    _measure_memory(session, ways)


def _ways(session: Session) -> dict[str, _Way]:
    command = servers.build_extproc_tls()
    if shutil.which("openssl") is None:
        raise Missing("no openssl command, which makes the certificates: apt-get install openssl")
    folder = session.launcher.folder / "certificates"
    folder.mkdir()
    authority = Authority(folder)
    pair = authority.server()
    # One program for both, so that TLS is all that differs.
    ways = {TLS_CLEAR: _Way(command), TLS_OURS: _Way(_serving(command, pair), authority.certificate)}
    if "grpcpp" in session.commands:
        ways[TLS_GRPCPP] = _Way(_serving(session.commands["grpcpp"], pair), authority.certificate)
    return ways


def _serving(command: list, pair: Pair) -> list:
    return [*command, "--tls-cert", pair.certificate, "--tls-key", pair.key]


@contextmanager
def _running(session: Session, ways: dict[str, _Way]) -> Iterator[dict[str, Running]]:
    """The servers, started and checked for right answers."""
    started: dict[str, Running] = {}
    try:
        for name, way in ways.items():
            started[name] = servers.start(session.launcher, name, way.command)
            with session.guarded(started, name):
                conformance.check(name, started[name].endpoint, "headers", tls_ca=way.ca)
        yield started
    finally:
        for server in started.values():
            server.stop()


def _measure_direct(session: Session, ways: dict[str, _Way]) -> None:
    with _running(session, ways) as started:

        def loader(name: str):
            return lambda count: loads.bench_load(
                session.files, started[name].address, count, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY,
                tls_ca=ways[name].ca,
            )  # fmt: skip

        measure_cases(session, started, NAME, "direct", session.scale.rounds, loader)


def _measure_envoy(session: Session, ways: dict[str, _Way]) -> None:
    with _running(session, ways) as started:
        routes = {
            name: Route((server.endpoint,), transport_socket=ways[name].transport_socket)
            for name, server in started.items()
        }
        envoy = BenchEnvoy(session.launcher, routes)
        try:
            warm_up(session, envoy)
            pids = {name: server.pid for name, server in started.items()}
            measure_routes(session, NAME, "tcp c1", envoy, 1, session.scale.envoy_rounds, pids)
        finally:
            envoy.stop()


def _measure_memory(session: Session, ways: dict[str, _Way]) -> None:
    _allow_open_files(2 * TLS_CONNECTIONS)
    for turn in session.rounds(session.scale.memory_rounds, f"{NAME}, {TLS_CONNECTIONS} idle connections"):
        for name in order(turn, list(ways)):
            with _running(session, {name: ways[name]}) as started:
                if name in started:
                    with session.guarded(started, name):
                        _measure_connections(session, name, turn, started[name], ways[name].ca)


def _allow_open_files(count: int) -> None:
    """In what is started from now on, as far as the system lets us; the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _measure_connections(session: Session, name: str, turn: int, server: Running, ca: Path | None) -> None:
    # One connection has everything set up, and leaves no memory that a thousand could use again.
    loads.bench_load(session.files, server.address, 200, 1, 1, tls_ca=ca)
    before = settled_bytes(server.pid, session.scale.settle_seconds)
    opened, closed = hold(session, server, TLS_CONNECTIONS, TLS_CONNECTIONS, tls_ca=ca)
    session.add(
        NAME, "connections", name, turn,
        kib_per_connection=(closed - before) / TLS_CONNECTIONS / 1024,
        kib_with_a_stream=(opened - before) / TLS_CONNECTIONS / 1024,
    )  # fmt: skip
