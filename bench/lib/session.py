"""One run of the benchmark: which servers take part, and what was found out."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from harness.processes import Launcher

from lib import conformance, servers
from lib.errors import Missing, WrongAnswer
from lib.loads import Done, Messages
from lib.plan import Scale
from lib.sample import Sample
from lib.servers import Running


@dataclass
class Session:
    launcher: Launcher
    scale: Scale
    files: Messages
    commands: dict[str, list] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Servers that take no part, or no longer, and why."""
    samples: list[Sample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _checked: set = field(default_factory=set)
    _start: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", file=sys.stderr, flush=True)

    def build(self, wanted: list[servers.Server]) -> None:
        for server in wanted:
            self.say(f"building {server.title}")
            try:
                self.commands[server.name] = server.build()
            except Missing as missing:
                if server not in servers.PEER_SERVERS:
                    raise
                self.exclude(server.name, str(missing))

    def exclude(self, name: str, reason: str) -> None:
        self.commands.pop(name, None)
        self.missing[name] = reason
        self.say(f"{name} takes no part: {reason}")

    def add(self, measurement: str, case: str, server: str, turn: int, **values: float) -> None:
        self.samples.append(Sample(measurement, case, server, turn, values))

    def rounds(self, count: int, what: str) -> Iterator[int]:
        for turn in range(count):
            self.say(f"{what}: round {turn + 1} of {count}")
            yield turn

    @contextmanager
    def running(
        self, variant: str = "headers", *, only: tuple[str, ...] | None = None, **options
    ) -> Iterator[dict[str, Running]]:
        """The servers, started and checked for right answers."""
        names = [name for name in self.commands if only is None or name in only]
        started: dict[str, Running] = {}
        try:
            for name in names:
                started[name] = servers.start(self.launcher, name, self.commands[name], variant, **options)
                self._check(started, name, variant)
            yield started
        finally:
            for server in started.values():
                server.stop()

    def _check(self, started: dict[str, Running], name: str, variant: str) -> None:
        if (name, variant) in self._checked:
            return
        try:
            conformance.check(name, started[name].endpoint, variant)
            self._checked.add((name, variant))
        except WrongAnswer as wrong:
            started.pop(name).stop()
            self.exclude(name, str(wrong))

    @contextmanager
    def guarded(self, started: dict[str, Running], name: str) -> Iterator[None]:
        """A server that answers wrongly under load takes no further part."""
        try:
            yield
        except WrongAnswer as wrong:
            started.pop(name).stop()
            self.exclude(name, str(wrong))

    def to_json(self) -> dict:
        return {"missing": self.missing, "notes": self.notes, "samples": [asdict(sample) for sample in self.samples]}


def count_for(seconds: float, run) -> int:
    """Warms a server up, and returns how many streams take about that long. `run(count)` runs so many."""
    count = 200
    done: Done = run(count)
    for _ in range(3):
        if done.seconds > seconds / 4:
            break
        count = min(count * 10, max(count + 1, int(done.rate * seconds / 2)))
        done = run(count)
    return max(100, int(done.rate * seconds))
