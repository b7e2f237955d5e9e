"""What traces cost: extproc without, with one of a hundred streams recorded, and with all."""

from lib import sink
from lib.errors import BenchError
from lib.measure.ways import Way, measure_direct, running
from lib.plan import TRACES_ALL, TRACES_NONE, TRACES_SOME
from lib.session import Session

NAME = "traces"
_SHARES = {TRACES_NONE: None, TRACES_SOME: "0.01", TRACES_ALL: "1"}


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    with sink.running() as collector:
        ways = {
            name: Way(session.commands["extproc"], env={} if share is None else _environment(collector, share))
            for name, share in _SHARES.items()
        }
        with running(session, ways) as started:
            measure_direct(session, NAME, ways, started)
        if collector.posts == 0:
            raise BenchError("no spans came to where they were to go")


def _environment(collector: sink.Sink, share: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
    }
