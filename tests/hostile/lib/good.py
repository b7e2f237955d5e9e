"""Well-behaved clients in a process of their own: as a program, `good.py PORT`, until its standard input ends; then it prints
what became of its requests."""

import contextlib
import json
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "hostile"), str(TESTS / "integration")]

from lib import wire  # noqa: E402
from lib.peer import Ended, Peer  # noqa: E402

CONNECTIONS = 4
PAUSE = 0.005
# An answer that takes longer counts as none.
PATIENCE = 10.0


@dataclass(frozen=True)
class Served:
    """Times in milliseconds. `late`: how much later than asked for the clients were woken, p99: what the machine alone is slow by."""

    answered: int
    failed: int
    median: float
    p99: float
    longest: float
    late: float

    def __str__(self) -> str:
        times = f"median {self.median:.1f} ms, p99 {self.p99:.1f} ms, longest {self.longest:.0f} ms, woken {self.late:.1f} ms late"
        return f"{self.answered} answered, {self.failed} failed; {times}"


class Good:
    """Such clients, beside an attack."""

    def __init__(self, port: int):
        command = [sys.executable, "-B", __file__, str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()

    def stop(self) -> Served:
        return Served(**json.loads(self._process.communicate(timeout=60)[0]))

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def ask(peer: Peer, message: bytes, patience: float = PATIENCE) -> bool:
    """One request; whether it was answered."""
    stream = peer.open(message)
    answered = peer.answered(stream, timeout=patience)
    # The stream stays open where a phase may still come.
    if not peer.streams.pop(stream).ended:
        peer.send(wire.reset(stream))
    return answered


def at(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def main() -> None:
    port = int(sys.argv[1])
    peers: list[Peer | None] = [None] * CONNECTIONS
    times: list[float] = []
    late: list[float] = []
    failed = 0
    message = wire.request()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for index in range(CONNECTIONS):
            start = time.monotonic()
            try:
                peers[index] = peers[index] or Peer(port, timeout=PATIENCE)
                if not ask(peers[index], message):
                    raise Ended("no answer")
            except (Ended, OSError):
                failed += 1
                if peers[index]:
                    peers[index].close()
                peers[index] = None
            times.append((time.monotonic() - start) * 1000)
            end = time.monotonic()
            time.sleep(PAUSE)
            late.append((time.monotonic() - end - PAUSE) * 1000)
    print(
        json.dumps(
            {
                "answered": len(times) - failed,
                "failed": failed,
                **{name: at(times, part) for name, part in (("median", 0.5), ("p99", 0.99), ("longest", 1))},
                "late": at(late, 0.99),
            }
        )
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
