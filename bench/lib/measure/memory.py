"""What an open idle stream costs: one that has had its first answer and waits for the upstream's response."""

from lib import loads
from lib.meter import settled_bytes
from lib.plan import IDLE_CONNECTIONS, order
from lib.session import Session

NAME = "memory"


def measure(session: Session) -> None:
    for count in session.scale.idle_streams:
        for turn in session.rounds(session.scale.memory_rounds, f"memory, {count} idle streams"):
            for name in order(turn, list(session.commands)):
                with session.running(only=(name,)) as started:
                    if name in started:
                        with session.guarded(started, name):
                            _measure(session, name, turn, started[name], count)


def _measure(session: Session, name: str, turn: int, server, count: int) -> None:
    loads.bench_load(session.files, server.address, 200, IDLE_CONNECTIONS, IDLE_CONNECTIONS)
    before = settled_bytes(server.pid, session.scale.settle_seconds)
    opened, closed = hold(session, server, count)
    # Memory that was kept but can be used again does not grow when the same streams come again.
    again, _ = hold(session, server, count)
    session.add(
        NAME, f"{count} streams", name, turn,
        bytes_per_stream=(opened - before) / count, before_bytes=before, open_bytes=opened,
        closed_bytes=closed, again_bytes=again, kept_share=(closed - before) / max(1, opened - before),
    )  # fmt: skip


def hold(session: Session, server, count: int, connections: int = IDLE_CONNECTIONS, **options) -> tuple[int, int]:
    """Resident bytes with the streams open, and after they closed and their connections have not."""
    idle = loads.IdleStreams(session.files, server.address, count, connections, **options)
    try:
        opened = settled_bytes(server.pid, session.scale.settle_seconds)
        idle.close()
        closed = settled_bytes(server.pid, session.scale.settle_seconds)
        idle.end()
    finally:
        idle.kill()
    return opened, closed
