"""Attacks by name, and what one run of an attack comes to."""

import importlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib.good import Good
from lib.peer import Ended, Peer
from lib.program import MIB, Program
from lib.server import Command, Server

GROUPS = ("memory", "order", "linear", "blocking", "floods", "slow", "logs", "signals", "envoy")

# What a server may take beyond what it counts, and keep of an attack that is over.
MEMORY_SLACK = 64 * MIB
KEPT_SLACK = 32 * MIB
GIVEN_BACK_AFTER = 10.0
# Milliseconds that a well-behaved client may wait.
GOOD_P99 = 50.0


@dataclass(frozen=True)
class Attack:
    name: str
    about: str
    function: Callable[["Run"], None]
    short: bool
    seconds: float


ATTACKS: dict[str, Attack] = {}


def attack(short: bool = True, seconds: float = 60.0):
    """A function that attacks. Its docstring's first line says what is sent; `short`: it has a form without times, too; `seconds`
    are the most that it may take."""

    def add(function: Callable[["Run"], None]) -> Callable[["Run"], None]:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        ATTACKS[name] = Attack(name, function.__doc__.splitlines()[0], function, short, seconds)
        return function

    return add


def load() -> dict[str, Attack]:
    for group in GROUPS:
        importlib.import_module(f"attacks.{group}")
    return ATTACKS


def mib(size: int) -> str:
    return f"{size / MIB:.0f} MiB"


class Run:
    """One attack: its programs and connections, which end with it, and the thresholds that it checks.

    `full`: times count too, and sizes are those of the full form. `sanitized`: the build is slow, and what is resident is not its own.
    """

    def __init__(self, full: bool, sanitized: bool, say: Callable[[str], None]):
        self.full = full and not sanitized
        self.sanitized = sanitized
        self.broken: list[str] = []
        self.checked = 0
        self._say = say
        self._folder = tempfile.TemporaryDirectory(prefix="hostile-")
        self.folder = Path(self._folder.name)
        self._programs: list[Program] = []
        self._peers: list[Peer] = []

    def size(self, full, short):
        return full if self.full else short

    # Programs and connections.

    def serve(self, processor: str, *flags, **limits) -> Server:
        return self._started(Server(self.folder, processor, *flags, **limits))

    def command(self, processor: str, *flags, **options) -> Command:
        return self._started(Command(self.folder, processor, *flags, **options))

    def connect(self, server: Server | Command, *pairs: tuple[int, int], **options) -> Peer:
        peer = Peer(server.port, *pairs, **options)
        self._peers.append(peer)
        return peer

    def disconnect(self) -> None:
        """Closes all connections."""
        for peer in self._peers:
            peer.close()
        self._peers.clear()

    @contextmanager
    def beside_good_clients(self, server: Server | Command, what: str = "", longest: float | None = None) -> Iterator[None]:
        """Well-behaved clients on other connections, who are to be served meanwhile. `longest`: the most that one may wait, in
        milliseconds."""
        good = Good(server.port)
        try:
            yield
            # Long enough to see what the attack leaves behind.
            time.sleep(self.size(1.0, 0.2))
            served = good.stop()
        finally:
            good.kill()
        beside = f" beside {what}" if what else ""
        self.note(f"good clients{beside}: {served}")
        self.equal(f"requests of good clients{beside} that failed", served.failed, 0)
        self.at_least(f"requests of good clients{beside} that were answered", served.answered, 1)
        # A machine that is slow by itself is no fault of the server's.
        self.time_at_most(f"p99 of good clients{beside}", served.p99, max(GOOD_P99, 3 * served.late))
        if longest is not None:
            self.time_at_most(f"longest wait of good clients{beside}", served.longest, max(longest, 3 * served.late))

    def close(self) -> None:
        self.disconnect()
        for program in self._programs:
            program.kill()
        self._folder.cleanup()

    def _started(self, program):
        self._programs.append(program)
        return program

    @contextmanager
    def may_end(self) -> Iterator[None]:
        """Sends what the server may end, which is noted."""
        try:
            yield
        except Ended as end:
            self.note(f"ended: {end}")

    # Thresholds.

    def note(self, text: str) -> None:
        self._say(f"      {text}")

    def check(self, what: str, holds: bool, shown: str = "") -> None:
        self.checked += 1
        self._say(f"   {'ok' if holds else '!!'} {what}{': ' if shown else ''}{shown}")
        if not holds:
            self.broken.append(f"{what}{': ' if shown else ''}{shown}")

    def equal(self, what: str, value, wanted) -> None:
        self.check(what, value == wanted, f"{value}" + ("" if value == wanted else f", which is to be {wanted}"))

    def at_most(self, what: str, value: float, most: float, unit: str = "") -> None:
        self.check(what, value <= most, f"{value:,.6g}{unit}, at most {most:,.6g}{unit}")

    def at_least(self, what: str, value: float, least: float, unit: str = "") -> None:
        self.check(what, value >= least, f"{value:,.6g}{unit}, at least {least:,.6g}{unit}")

    def time_at_most(self, what: str, milliseconds: float, most: float) -> None:
        """Counts in the full form only."""
        if self.full:
            self.at_most(what, milliseconds, most, " ms")

    def memory_at_most(self, what: str, size: int, most: int) -> None:
        """Resident memory: not that of a sanitizer's build, which keeps what was freed."""
        if not self.sanitized:
            self.check(what, size <= most, f"{mib(size)}, at most {mib(most)}")

    def given_back(self, server: Server, most: int) -> int:
        """What is resident once it is no more than that, or when the time for it is over."""
        end = time.monotonic() + GIVEN_BACK_AFTER
        while not self.sanitized and server.resident() > most and time.monotonic() < end:
            time.sleep(0.1)
        return server.resident()

    def is_over(self, server: Server) -> None:
        """What every attack ends with: all is closed, given back and counted down, a good request is answered, SIGTERM ends it."""
        self.disconnect()
        self.equal("connections open afterwards", server.eventually("connections_open", 0), 0)
        self.equal("streams open afterwards", server.eventually("streams_open", 0), 0)
        most = 2 * server.idle + KEPT_SLACK
        self.memory_at_most("resident afterwards", self.given_back(server, most), most)
        self.check("a good request is answered afterwards", server.answers())
        self.equal("exit status after SIGTERM", server.stop(), 0)


__all__ = ["ATTACKS", "GROUPS", "MEMORY_SLACK", "MIB", "Attack", "Ended", "Run", "attack", "load", "mib"]
