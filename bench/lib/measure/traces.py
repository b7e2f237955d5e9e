"""What traces cost: extproc without, with one of a hundred streams recorded, and with all."""

from lib import conformance, loads, servers, sink
from lib.errors import BenchError
from lib.measure.direct import measure_cases
from lib.plan import DIRECT_CONCURRENCY, DIRECT_CONNECTIONS, TRACES_ALL, TRACES_NONE, TRACES_SOME
from lib.session import Session

NAME = "traces"
_SHARES = {TRACES_NONE: None, TRACES_SOME: "0.01", TRACES_ALL: "1"}


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    with sink.running() as collector:
        _measure_direct(session, collector)
        if collector.posts == 0:
            raise BenchError("no spans came to where they were to go")


def _measure_direct(session: Session, collector: sink.Sink) -> None:
    started: dict[str, servers.Running] = {}
    try:
        for name, share in _SHARES.items():
            env = {} if share is None else _environment(collector, share)
            started[name] = servers.start(session.launcher, name, session.commands["extproc"], env=env)
            with session.guarded(started, name):
                conformance.check(name, started[name].endpoint, "headers")

        def loader(name: str):
            return lambda count: loads.bench_load(
                session.files, started[name].address, count, DIRECT_CONNECTIONS, DIRECT_CONCURRENCY
            )

        measure_cases(session, started, NAME, "direct", session.scale.rounds, loader)
    finally:
        for server in started.values():
            server.stop()


def _environment(collector: sink.Sink, share: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
    }
