"""Requests through Envoy: what a processor adds to a route without one."""

from lib import loads
from lib.envoy import BASELINE, BenchEnvoy, Route
from lib.errors import WrongAnswer
from lib.meter import Window
from lib.plan import WRK_CONNECTIONS, order
from lib.session import Session

NAME = "envoy"
_WARM_UP_SECONDS = 1


def measure(session: Session) -> None:
    for socket in ("tcp", "unix"):
        with session.running(unix=socket == "unix") as started:
            if started:
                _measure(session, socket, started)


def _measure(session: Session, socket: str, started: dict) -> None:
    envoy = BenchEnvoy(session.launcher, {name: Route((server.endpoint,)) for name, server in started.items()})
    connections = WRK_CONNECTIONS if socket == "tcp" else session.scale.unix_connections
    try:
        warm_up(session, envoy)
        for count in connections:
            measure_routes(
                session,
                NAME,
                f"{socket} c{count}",
                envoy,
                count,
                session.scale.envoy_rounds,
                {name: server.pid for name, server in started.items()},
            )
    finally:
        envoy.stop()


def warm_up(session: Session, envoy: BenchEnvoy) -> None:
    if session.scale.envoy_warm_up:
        for port in envoy.ports.values():
            loads.wrk(port, max(WRK_CONNECTIONS), _WARM_UP_SECONDS)


def measure_routes(
    session: Session,
    measurement: str,
    case: str,
    envoy: BenchEnvoy,
    connections: int,
    rounds: int,
    pids: dict[str, int],
    body_bytes: int = 0,
) -> None:
    """Each round has a run of every route; what a route adds is told against that round's route without a filter."""
    for turn in session.rounds(rounds, f"{measurement}, {case}"):
        baseline = loads.wrk(envoy.ports[BASELINE], connections, session.scale.envoy_seconds, body_bytes)
        session.add(measurement, case, BASELINE, turn, **_latency(baseline), requests_per_s=baseline.rate)
        for name in order(turn, list(pids)):
            try:
                with Window(envoy.pid) as on_envoy, Window(pids[name]) as window:
                    done = loads.wrk(envoy.ports[name], connections, session.scale.envoy_seconds, body_bytes)
            except WrongAnswer as wrong:
                del pids[name]
                session.exclude(name, f"{measurement}, {case}: {wrong}")
                continue
            added = {
                f"added_{part}_us": getattr(done.latency, part) - getattr(baseline.latency, part)
                for part in ("p50", "p99", "p999")
            }
            session.add(
                measurement, case, name, turn, **_latency(done), **added, requests_per_s=done.rate,
                cpu_us_per_request=window.cpu / done.count * 1e6,
                envoy_cpu_us_per_request=on_envoy.cpu / done.count * 1e6,
            )  # fmt: skip


def _latency(done: loads.Done) -> dict[str, float]:
    return {f"{part}_us": getattr(done.latency, part) for part in ("p50", "p99", "p999")}
