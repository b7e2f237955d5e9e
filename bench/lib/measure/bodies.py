"""Bodies straight to the server: 1 MiB replaced as a whole, and 64 KiB chunks."""

from lib import loads
from lib.meter import Window
from lib.plan import BODY_BYTES, BODY_CONCURRENCY, BODY_CONNECTIONS, order
from lib.session import Session

NAME = "bodies"
_GIB = 1 << 30
_FIRST_COUNT = 8


def measure(session: Session) -> None:
    for variant, size in BODY_BYTES.items():
        with session.running(variant) as started:
            _measure(session, variant, size, started)


def _measure(session: Session, variant: str, size: int, started: dict) -> None:
    def run(name: str, count: int) -> loads.Done:
        address = started[name].address
        return loads.bench_load(
            session.files, address, count, BODY_CONNECTIONS, BODY_CONCURRENCY, variant=variant, body_bytes=size
        )

    counts = {}
    for name in list(started):
        with session.guarded(started, name):
            counts[name] = max(_FIRST_COUNT, int(run(name, _FIRST_COUNT).rate * session.scale.seconds))
    for turn in session.rounds(session.scale.body_rounds, f"bodies, {variant}"):
        for name in order(turn, list(started)):
            with session.guarded(started, name):
                with Window(started[name].pid) as window:
                    done = run(name, counts[name])
                moved = done.count * size
                session.add(
                    NAME,
                    variant,
                    name,
                    turn,
                    mib_per_s=moved / done.seconds / (1 << 20),
                    cpu_s_per_gib=window.cpu * _GIB / moved,
                )
