"""Programs started by the tests: each in a process group of its own, its output kept, ended by its id."""

import itertools
import os
import random
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

START_TIMEOUT = 20.0
STOP_TIMEOUT = 10.0


def eventually(condition: Callable[[], object], what: str, timeout: float = 10.0):
    """The first truthy value of `condition`, polled; fails with `what` when time runs out."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"timed out after {timeout:g} s: {what}")
        time.sleep(0.005)


# Below the range that systems take ports of connections from, where one may go between the probe and its use. A server
# of several services listens on the ports that follow, too.
_FIRST_PORT, _LAST_PORT, _PORTS_OF_ONE = 10_000, 30_000, 4
# Of what pytest-xdist runs side by side each has ports of its own.
_OURS, _OF = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_BLOCKS = (_LAST_PORT - _FIRST_PORT) // _PORTS_OF_ONE // _OF
_blocks = itertools.count(random.randrange(_BLOCKS))


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind(("::", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A TCP port that is free on IPv4 and IPv6, as are the three that follow; none was given before."""
    while True:
        first = _FIRST_PORT + (_OURS * _BLOCKS + next(_blocks) % _BLOCKS) * _PORTS_OF_ONE
        if all(_is_free(port) for port in range(first, first + _PORTS_OF_ONE)):
            return first


def is_open(address: int | str | Path) -> bool:
    """Whether something accepts connections on a loopback port, or a Unix domain socket."""
    unix = not isinstance(address, int)
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        return probe.connect_ex(str(address) if unix else ("127.0.0.1", address)) == 0


class Process:
    """A running program."""

    running: list["Process"] = []

    def __init__(
        self, name: str, command: list, log: Path, env: dict | None = None, open_files: int | None = None, pass_fds: tuple = (), cwd: Path | None = None
    ):
        def limit_files():
            if open_files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

        self.name = name
        self.log_path = log
        self._shown = 0
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=limit_files,
                pass_fds=pass_fds,
                cwd=cwd,
            )
        Process.running.append(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def new_log(self) -> str:
        """What it printed since the last call."""
        text = self.log()
        new, self._shown = text[self._shown :], len(text)
        return new

    def exit_code(self) -> int | None:
        return self._process.poll()

    def exit_code_soon(self) -> int | None:
        """None where it still runs after a moment, in which one that crashes writes its trace."""
        try:
            return self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            return None

    def wait_until_open(self, address: int | str | Path) -> "Process":
        def ready() -> bool:
            self.check_alive()
            return is_open(address)

        self.wait_for(ready, f"{self.name} to listen on {address}", START_TIMEOUT)
        return self

    def wait_for_log(self, text: str, timeout: float = 5.0) -> str:
        """The first line of its log that contains `text`."""

        def find() -> str | None:
            return next((line for line in self.log().splitlines() if text in line), None)

        return self.wait_for(find, f"{text!r} in the log of {self.name}", timeout)

    def wait_for(self, condition: Callable[[], object], what: str, timeout: float):
        try:
            return eventually(condition, what, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- log of {self.name} ---\n{self.log()[-4000:]}") from None

    def check_alive(self) -> None:
        if self.exit_code() is not None:
            raise AssertionError(f"{self.name} ended with {self.exit_code()}:\n{self.log()[-4000:]}")

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Its exit code."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout:g} s:\n{self.log()[-4000:]}") from None

    def stop(self) -> None:
        """Ends it, gently at first, together with what it started."""
        if self.exit_code() is None:
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()
        if self in Process.running:
            Process.running.remove(self)

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


class Launcher:
    """Starts programs whose logs go to one folder, and stops them all at its end."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._processes: list[Process] = []

    def start(self, name: str, command: list, **options) -> Process:
        log = self.folder / f"{len(self._processes):02}-{name}.log"
        process = Process(name, command, log, **options)
        self._processes.append(process)
        return process

    def stop_all(self) -> None:
        for process in reversed(self._processes):
            process.stop()
