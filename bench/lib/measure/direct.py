"""Two-message streams straight to the server."""

from lib import loads
from lib.meter import Window
from lib.plan import DIRECT_CONCURRENCY, DIRECT_CONNECTIONS, order
from lib.session import Session, count_for

NAME = "direct"
LOADS = {"h2load": loads.h2load, "as envoy": loads.bench_load}


def measure(session: Session) -> None:
    scale = session.scale
    with session.running() as started:
        for case, load in LOADS.items():
            measure_cases(
                session,
                started,
                NAME,
                case,
                scale.rounds,
                lambda name, load=load: _loader(session, started, name, load),
            )


def _loader(session: Session, started: dict, name: str, load):
    return lambda count: load(session.files, started[name].address, count, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY)


def measure_cases(session: Session, started: dict, measurement: str, case: str, rounds: int, loader) -> None:
    """`loader(server)` gives a function that runs a number of streams on it."""
    counts = {}
    for name in list(started):
        with session.guarded(started, name):
            counts[name] = count_for(session.scale.seconds, loader(name))
    for turn in session.rounds(rounds, f"{measurement}, {case}"):
        for name in order(turn, list(started)):
            with session.guarded(started, name):
                with Window(started[name].pid) as window:
                    done = loader(name)(counts[name])
                session.add(
                    measurement,
                    case,
                    name,
                    turn,
                    cpu_us_per_stream=window.cpu / done.count * 1e6,
                    streams_per_s=done.rate,
                )
