"""What a process has used: CPU time and resident memory."""

import time
from dataclasses import dataclass
from pathlib import Path

# The kernel's clock id of a process's CPU time: what clock_getcpuclockid(3) gives. It counts what utime and stime of
# /proc/<pid>/stat count, over all threads, living and ended, but in nanoseconds and not in hundredths of a second.
_CPUCLOCK_SCHED = 2


def cpu_seconds(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def resident_bytes(pid: int) -> int:
    """Rss of smaps_rollup."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) << 10
    raise ValueError(f"no Rss of process {pid}")


def tree(pid: int) -> list[int]:
    """The process and its children: a server may be several."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def settled_bytes(pid: int, seconds: float) -> int:
    """Resident bytes of the process and its children, after they were left alone for so long."""
    time.sleep(seconds)
    return sum(resident_bytes(each) for each in tree(pid))


@dataclass
class Window:
    """The wall clock and a server's CPU time from `with` to its end, in seconds."""

    pid: int
    wall: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> "Window":
        self._pids = tree(self.pid)
        self._wall, self._cpu = time.monotonic(), self._cpu_now()
        return self

    def __exit__(self, *_) -> None:
        self.wall, self.cpu = time.monotonic() - self._wall, self._cpu_now() - self._cpu

    def _cpu_now(self) -> float:
        return sum(cpu_seconds(pid) for pid in self._pids)
