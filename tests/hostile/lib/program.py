"""A program under attack: what it takes of the machine, and how it ends."""

import os
import signal
import subprocess
import time
from functools import cache
from pathlib import Path

from harness import paths
from harness.processes import eventually, free_port, is_open

START_TIMEOUT = 30.0
QUIET_SECONDS = 0.2
QUIET_SHARE = 0.15
MIB = 1 << 20

_first_port: int | None = None


def take_ports_from(number: int | None) -> None:
    """Programs listen on ports from that one on, in place of ports that the system chooses."""
    global _first_port
    _first_port = number


def new_port() -> int:
    global _first_port
    if _first_port is None:
        return free_port()
    while is_open(_first_port):
        _first_port += 1
    _first_port += 1
    return _first_port - 1


@cache
def command_knows(flag: str) -> bool:
    """Whether `extproc serve` has that flag."""
    command = [str(paths.built("extproc")), "serve", "--help"]
    return flag in subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


class Program:
    """`output`, `error`: file descriptors in place of the log; None of both: the log."""

    def __init__(self, command: list, log: Path, output: int | None = None, error: int | None = None, **options):
        self.log_path = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=file if output is None else output,
                stderr=file if error is None else error,
                start_new_session=True,
                **options,
            )
        self.pid = self._process.pid

    def wait_until_open(self, port: int) -> None:
        def ready() -> bool:
            if self.exit_code() is not None:
                raise AssertionError(f"it ended with {self.exit_code()}: {self.log()[-2000:]}")
            return is_open(port)

        eventually(ready, f"it listens on {port}", START_TIMEOUT)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def exit_code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ends(self, timeout: float) -> int | None:
        """Its exit status; None where it is still there after so many seconds, and has been killed."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def stop(self, timeout: float = 20.0) -> int | None:
        """SIGTERM, and the same."""
        self.signal(signal.SIGTERM)
        return self.ends(timeout)

    def kill(self) -> None:
        if self.exit_code() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def resident(self) -> int:
        return self._status("VmRSS") * 1024

    def peak(self) -> int:
        """The most that was resident since the start."""
        return self._status("VmHWM") * 1024

    def cpu(self) -> float:
        """Seconds of CPU of the threads that are there."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
        return total / 1e9

    def quiet(self, timeout: float = 60.0) -> float:
        """Waits until it does no more than serve a few good clients; the CPU that it has taken by then."""
        end = time.monotonic() + timeout
        before = self.cpu()
        while True:
            time.sleep(QUIET_SECONDS)
            now = self.cpu()
            if now - before < QUIET_SHARE * QUIET_SECONDS or time.monotonic() > end:
                return now
            before = now

    def _status(self, name: str) -> int:
        if self.exit_code() is not None:
            return 0
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        return 0
