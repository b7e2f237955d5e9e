"""The server that is attacked: hostile_server, which tells its counters, or the command itself."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from harness import paths
from harness.processes import eventually
from lib import wire
from lib.good import ask
from lib.peer import Ended, Peer
from lib.program import Program, command_knows, new_port

MODULE = "hostile_processors"
# The limit of what all connections together may hold, and the counter of what they hold.
MEMORY_FLAG = "--memory-bytes"
MEMORY_COUNTER = "memory_bytes"


def arguments_for(processor: str, port: int, flags: tuple) -> list:
    return ["-s", f"{MODULE}.{processor}", "--listen", f"127.0.0.1:{port}", "--threads", "1", *flags]


class Server(Program):
    """hostile_server with one processor on one I/O thread. Limits: `memory` in bytes, and those of limits.cc by name."""

    def __init__(self, folder: Path, processor: str, *flags, memory: int | None = None, **limits: int):
        self.port = new_port()
        if memory and command_knows(MEMORY_FLAG):
            flags += (MEMORY_FLAG, memory)
        command = [paths.built("hostile_server")]
        for name, value in limits.items():
            command += ["--limit", f"{name}={value}"]
        flags += ("--grace-period", 2, "--drain-delay", 0)
        super().__init__(command + arguments_for(processor, self.port, flags), folder / f"server-{self.port}.log")
        self.wait_until_open(self.port)
        self.answers(5)
        self.idle = self.resident()

    def stats(self) -> dict[str, int]:
        before = len(self._told())
        self.signal(signal.SIGUSR1)
        return json.loads(eventually(lambda: self._told()[before:], "the server's counters", 30)[0].removeprefix("stats "))

    def eventually(self, counter: str, value: int, timeout: float = 10.0) -> int | None:
        """The counter, once it is that, or when the time is over; None where it is not counted."""
        return self._once(counter, lambda now: now == value, timeout)

    def falls_to(self, counter: str, most: int, timeout: float = 10.0) -> int | None:
        """The counter, once it is that or less, or when the time is over; None where it is not counted."""
        return self._once(counter, lambda now: now <= most, timeout)

    def _once(self, counter: str, wanted: Callable[[int], bool], timeout: float) -> int | None:
        end = time.monotonic() + timeout
        while True:
            now = self.stats().get(counter)
            if now is None or wanted(now) or time.monotonic() > end:
                return now
            time.sleep(0.05)

    def answers(self, requests: int = 1, patience: float = 10.0) -> bool:
        """Whether well-behaved requests on a connection of their own are answered."""
        with contextlib.suppress(Ended, OSError), Peer(self.port) as peer:
            return all(ask(peer, wire.request(), patience) for _ in range(requests))
        return False

    def _told(self) -> list[str]:
        return [line for line in self.log().split("\n")[:-1] if line.startswith("stats ")]


class Command(Program):
    """`extproc serve` with one processor; `output` and `error` as for Program."""

    def __init__(self, folder: Path, processor: str, *flags, env: dict | None = None, **options):
        self.port = new_port()
        command = [paths.built("extproc"), "serve", *arguments_for(processor, self.port, flags)]
        super().__init__(command, folder / f"command-{self.port}.log", env={**os.environ, **(env or {})}, **options)
        self.wait_until_open(self.port)

    answers = Server.answers
