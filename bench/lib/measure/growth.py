"""Whether a stream costs the same when there is more of everything: threads, streams at once, headers."""

from lib import loads
from lib.measure.direct import measure_cases
from lib.plan import DIRECT_CONCURRENCY, DIRECT_CONNECTIONS, GROWTH_CONNECTIONS, THREADS
from lib.session import Session

NAME = "growth"


def measure(session: Session) -> None:
    rounds = session.scale.growth_rounds
    only = session.scale.growth_servers
    for threads in THREADS:
        with session.running(only=only, threads=threads) as started:
            loader = _loader(session, started, loads.bench_load, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY)
            measure_cases(session, started, NAME, f"threads {threads}", rounds, loader)
    with session.running(only=only) as started:
        for concurrency in session.scale.concurrencies:
            loader = _loader(session, started, loads.bench_load, min(GROWTH_CONNECTIONS, concurrency), concurrency)
            measure_cases(session, started, NAME, f"streams {concurrency}", rounds, loader)
        for headers in session.scale.header_counts:
            loader = _loader(
                session, started, loads.bench_load, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY, headers=headers
            )
            measure_cases(session, started, NAME, f"headers {headers}", rounds, loader)


def _loader(session: Session, started: dict, load, connections: int, concurrency: int, **options):
    # At least as many streams as are to be open at once.
    return lambda name: (
        lambda count: load(
            session.files, started[name].address, max(count, 2 * concurrency), connections, concurrency, **options
        )
    )
