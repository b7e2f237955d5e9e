"""Requests at a given rate, whatever becomes of those before, by h2load; and what became of each."""

import time
from dataclasses import dataclass
from pathlib import Path

from harness import paths
from harness.processes import Launcher, eventually

from lib.errors import BenchError

_CONNECTIONS = 8
_STREAMS = 100  # at once on each, which is what Envoy allows


@dataclass(frozen=True)
class Request:
    start: float
    """Seconds since the epoch."""
    seconds: float
    status: int

    @property
    def end(self) -> float:
        return self.start + self.seconds

    @property
    def good(self) -> bool:
        return self.status == 200


class Load:
    def __init__(self, launcher: Launcher, port: int, rate: int, seconds: int, headers: tuple[str, ...] = ()):
        self._log: Path = launcher.folder / f"requests-{port}-{time.monotonic_ns()}.tsv"
        self.rate, self.seconds = rate, seconds
        command = [paths.tool("h2load"), "-t", 1, "-c", _CONNECTIONS, "-m", _STREAMS, "--rps", rate / _CONNECTIONS, "-D", seconds]
        command += [part for header in headers for part in ("-H", header)]
        self._process = launcher.start("h2load", [*command, "--log-file", self._log, f"http://127.0.0.1:{port}/"])
        self.began = time.time()

    def at(self, seconds: float) -> float:
        """Waits until so many seconds of it are over; the time."""
        time.sleep(max(0.0, self.began + seconds - time.time()))
        return time.time()

    def requests(self) -> list[Request]:
        """All, when it has ended."""
        if self._process.wait(self.seconds + 30) != 0:
            raise BenchError(f"h2load failed: {self._process.log()[-800:]}")
        lines = [line.split("\t") for line in eventually(self._log.read_text, "h2load's log").splitlines()]
        return [Request(int(start) / 1e6, int(duration) / 1e6, int(status)) for start, status, duration, *_ in lines]


@dataclass(frozen=True)
class Window:
    """What became of the requests that ended in a time."""

    good_per_second: float
    lost: int
    p50_ms: float
    p99_ms: float

    @staticmethod
    def of(requests: list[Request], begin: float, end: float) -> "Window":
        within = [one for one in requests if begin <= one.end < end]
        times = sorted(one.seconds * 1e3 for one in within if one.good)
        if not times:
            return Window(0, len(within), float("nan"), float("nan"))
        at = lambda share: times[min(len(times) - 1, int(share * len(times)))]  # noqa: E731
        return Window(len(times) / (end - begin), len(within) - len(times), at(0.5), at(0.99))

    def row(self) -> list[str]:
        return [f"{self.good_per_second:,.0f}", f"{self.lost:,}", f"{self.p50_ms:.1f}", f"{self.p99_ms:.1f}"]


HEAD = ["answered/s", "lost", "p50 ms", "p99 ms"]
