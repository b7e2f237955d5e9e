"""What TLS costs: extproc in clear text and over TLS, and grpc++ over TLS; and what an idle connection keeps."""

import resource
import shutil
from pathlib import Path

from harness import over_tls
from harness.certificates import Authority, Pair

from lib import loads, servers
from lib.envoy import BenchEnvoy, Route
from lib.errors import Missing
from lib.measure.envoy import measure_routes, warm_up
from lib.measure.memory import hold
from lib.measure.ways import Way, measure_direct, running
from lib.meter import settled_bytes
from lib.plan import TLS_CLEAR, TLS_CONNECTIONS, TLS_GRPCPP, TLS_OURS, order
from lib.servers import Running
from lib.session import Session

NAME = "tls"


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    try:
        ways = _ways(session)
    except Missing as missing:
        session.exclude("TLS", str(missing))
        return
    with running(session, ways) as started:
        measure_direct(session, NAME, ways, started)
    _measure_envoy(session, {name: ways[name] for name in (TLS_CLEAR, TLS_OURS)})
    _measure_memory(session, ways)


def _ways(session: Session) -> dict[str, Way]:
    command = servers.build_extproc_tls()
    if shutil.which("openssl") is None:
        raise Missing("no openssl command, which makes the certificates: apt-get install openssl")
    folder = session.launcher.folder / "certificates"
    folder.mkdir()
    authority = Authority(folder)
    pair = authority.server()
    # One program for both, so that TLS is all that differs.
    ways = {TLS_CLEAR: Way(command), TLS_OURS: Way(_serving(command, pair), ca=authority.certificate)}
    if "grpcpp" in session.commands:
        ways[TLS_GRPCPP] = Way(_serving(session.commands["grpcpp"], pair), ca=authority.certificate)
    return ways


def _serving(command: list, pair: Pair) -> list:
    return [*command, "--tls-cert", pair.certificate, "--tls-key", pair.key]


def _measure_envoy(session: Session, ways: dict[str, Way]) -> None:
    with running(session, ways) as started:
        routes = {
            name: Route((server.endpoint,), transport_socket=over_tls.transport_socket(ca) if (ca := ways[name].ca) else None)
            for name, server in started.items()
        }
        envoy = BenchEnvoy(session.launcher, routes)
        try:
            warm_up(session, envoy)
            pids = {name: server.pid for name, server in started.items()}
            measure_routes(session, NAME, "tcp c1", envoy, 1, session.scale.envoy_rounds, pids)
        finally:
            envoy.stop()


def _measure_memory(session: Session, ways: dict[str, Way]) -> None:
    _allow_open_files(2 * TLS_CONNECTIONS)
    for turn in session.rounds(session.scale.memory_rounds, f"{NAME}, {TLS_CONNECTIONS} idle connections"):
        for name in order(turn, list(ways)):
            with running(session, {name: ways[name]}) as started:
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
