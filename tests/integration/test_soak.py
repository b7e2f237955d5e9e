"""Hours in minutes: the six examples behind one Envoy, and inside one, under whole requests, bodies and callers that hang up, for
SOAK_MINUTES (10) each: nothing fails, and what runs them holds as much memory, files and threads at the end as after the first rounds.

Not part of a usual run: `make soak`.
"""

import os
import re
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from harness import http, paths
from harness.envoy_config import Listener
from harness.inside import Inside, envoy_with
from harness.processes import Process, free_port

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
BODY_BYTES = 20_000
# What an allocator may keep of a round that was larger than those before.
SLACK_KIB = 4096
WARM_ROUNDS = 3

pytestmark = pytest.mark.soak


def _held(process: Process) -> tuple[int, int, int]:
    proc = Path(f"/proc/{process.pid}")
    return process.resident_kib(), len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir()))


def _load(port: int, *arguments: str) -> None:
    """Whole requests, all of which succeed."""
    command = [paths.tool("h2load"), "--h1", "-c", "32", "-t", "1", *arguments, f"http://127.0.0.1:{port}/"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"requests: .* 0 failed, 0 errored, 0 timeout", run.stdout), run.stdout
    assert re.search(r"status codes: \d+ 2xx, 0 3xx, 0 4xx, 0 5xx", run.stdout), run.stdout


def _hang_up(port: int, *arguments: str) -> None:
    """Callers that are gone in the middle of what they asked."""
    command = [paths.tool("h2load"), "--h1", "-c", "64", "-t", "1", "-D", "30", *arguments, f"http://127.0.0.1:{port}/"]
    callers = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    callers.kill()
    callers.wait()


def _stay_level(port: int, processes: list[Process], body: Path, slack_kib: int = SLACK_KIB) -> None:
    """What the processes hold during the load."""
    body.write_bytes(b"x" * BODY_BYTES)
    rounds: list[list[tuple[int, int, int]]] = []
    started = time.monotonic()
    end = started + MINUTES * 60
    while time.monotonic() < end or len(rounds) < 3 * WARM_ROUNDS:
        _load(port, "-n", "10000")
        _load(port, "-n", "3000", "-d", str(body))
        _hang_up(port)
        _hang_up(port, "-d", str(body))
        assert http.request(port, "GET", "/alive").status == 200
        rounds.append([_held(process) for process in processes])
        print(f"{time.monotonic() - started:.0f} s, round {len(rounds)}: {[held[0] for held in rounds[-1]]} KiB", flush=True)

    third = (len(rounds) - WARM_ROUNDS) // 3
    first, last = rounds[WARM_ROUNDS : WARM_ROUNDS + third], rounds[-third:]
    for index, process in enumerate(processes):
        for what, slack in ((0, slack_kib), (1, 0), (2, 0)):
            before, after = (statistics.median(held[index][what] for held in part) for part in (first, last))
            assert after <= before + slack, f"{process.name}: {('KiB', 'open files', 'threads')[what]} grew from {before} to {after}"


def test_nothing_grows_and_nothing_fails(deployment, tmp_path):
    servers = [processor.process for processor in deployment.processors.values()]
    _stay_level(deployment.port, servers, tmp_path / "body")
    for server in servers:
        assert not [line for line in server.log().splitlines() if re.search(r" : (WARNING|ERROR|CRITICAL) : ", line)]


def test_nothing_grows_inside_envoy(launcher, echo_port, tmp_path):
    """The six in one Envoy, each in a filter of its own, beside handlers that wait for timers and for threads."""
    names = [f"examples.{name}ExtProcService" for name in ("Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx")]
    names += ["test_processors.AsyncScripted", "test_processors.BlockingScripted"]
    port = free_port()
    filters = tuple(Inside((name,), name=f"inside-{i}") for i, name in enumerate(names))
    envoy = envoy_with(launcher, [Listener("http", port, filters)], echo_port)
    # Its allocator keeps more of large rounds; what is allocated between two rounds stays the same.
    _stay_level(port, [envoy.process], tmp_path / "body", 2 * SLACK_KIB)
    assert not any(envoy.stats(r"extproc\.(handler_failures|streams_failed|streams_over_limit)$").values())
    assert not [line for line in envoy.process.log().splitlines() if re.search(r"\]\[(error|critical)\]", line)]
