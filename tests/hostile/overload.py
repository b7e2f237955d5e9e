#!/usr/bin/env python3
"""More work than the blocking threads can do: what is answered in time, against what they do when nobody asks for more.

    tests/hostile/overload.py [--build build/release] [--seconds 60] [--jobs 2,20,100] [--styles blocking,offload]

For each style and each time that a job takes: the capacity, as a closed loop of the same job reaches it, then 1.25 and 3
times that, each stream given up after 200 ms as by Envoy's default message_timeout. Then 20,000 streams that are opened and
reset at once, and how long the next good one waits; then SIGTERM with as many; then handlers that do not return. All with
default settings. Exits with 1 where less than 85 % of the capacity is answered in time, or another of these takes too long.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "hostile"), str(ROOT / "tests" / "integration")]

from lib import wire  # noqa: E402
from lib.peer import Peer  # noqa: E402

THREADS = 16  # the default of blocking threads
RESET_AFTER_MS = 200
LEAST_SHARE = 0.85
GRACE_S = 5  # the default
CONNECTIONS = 16
STYLES = {
    "blocking": ("test_processors.BlockingScripted", "sleep"),
    "offload": ("test_processors.AsyncScripted", "offload"),
}


def request(action: str) -> bytes:
    """A ProcessingRequest of request headers that tells the test processor what to do."""
    headers = {":method": "GET", ":path": "/", ":scheme": "http", ":authority": "example.com", "x-do": action}
    entries = ((name.encode(), value.encode()) for name, value in headers.items())
    return wire.headers(wire.REQUEST_HEADERS, *entries, end=True) + wire.modes()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, build: Path, processor: str, *arguments: str):
        self.port = free_port()
        command = [build / "extproc", "serve", "-s", processor, "--listen", f"127.0.0.1:{self.port}", *arguments]
        modules = os.pathsep.join(str(path.parent) for path in build.rglob("test_processors.so"))
        self.log = tempfile.TemporaryFile("w+")
        environment = dict(os.environ, EXTPROC_MODULE_PATH=modules)
        self.process = subprocess.Popen(command, env=environment, stderr=self.log)
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"the server did not start: {self.logged()}")

    def logged(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def stop(self, most: float) -> tuple[int | None, float]:
        """Its exit status after SIGTERM, None where it had to be killed, and how long that took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(most), time.monotonic() - start
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None, time.monotonic() - start


def load(build: Path, server: Server, message: Path, mode: str, **options) -> dict:
    command = [build / "bench/load/bench_load", mode, "--connect", f"127.0.0.1:{server.port}",
               "--request-headers", message, "--connections", CONNECTIONS]  # fmt: skip
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", value]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    if not done.stdout:
        raise SystemExit(f"bench_load: {done.stderr}\n{server.logged()}")
    return json.loads(done.stdout)


def overload(build: Path, style: str, job_ms: int, seconds: float, folder: Path) -> bool:
    processor, verb = STYLES[style]
    message = folder / f"{verb}-{job_ms}"
    message.write_bytes(request(f"request_headers {verb} {job_ms}"))
    server = Server(build, processor)
    good = True
    try:
        # With some that wait, so that no thread does, where a job is short enough for that.
        concurrency = THREADS * (2 if job_ms <= RESET_AFTER_MS / 5 else 1)
        most = 100_000_000
        closed = load(build, server, message, "run", count=most, concurrency=concurrency, seconds=min(seconds, 20))
        capacity = closed["completed"] / closed["seconds"]
        print(f"{style}, {job_ms} ms: capacity {capacity:.0f}/s ({closed['failed']} failed)", flush=True)
        for factor in (1.25, 3):
            report = load(build, server, message, "rate", rate=capacity * factor, seconds=seconds,
                          reset_after=RESET_AFTER_MS)  # fmt: skip
            share = report["per_second"] / capacity
            latency = report["report"]["latency_us"]
            good = good and share >= LEAST_SHARE and report["wrong"] == 0
            print(f"  {factor} x: {report['offered']} offered, {report['in_time']} in time ({share:.1%} of the capacity), "
                  f"{report['refused']} refused, {report['reset']} given up; "
                  f"p50 {latency['p50'] / 1000:.0f} ms, p99 {latency['p99'] / 1000:.0f} ms", flush=True)  # fmt: skip
    finally:
        status, took = server.stop(15)
    print(f"  SIGTERM: status {status} after {took:.1f} s", flush=True)
    return good and status == 0


def seconds_to_answer(peer: Peer, message: bytes) -> float:
    start = time.monotonic()
    if not peer.answered(peer.open(message), timeout=30):
        raise SystemExit("the good stream was not answered")
    return time.monotonic() - start


def dead_streams(build: Path, style: str, count: int = 20_000) -> bool:
    processor, verb = STYLES[style]
    message = wire.grpc(request(f"request_headers {verb} 20"))
    server = Server(build, processor)
    attacker, good = Peer(server.port, keeps=False), Peer(server.port)
    attacker.open_and_reset(message, count)
    waited = seconds_to_answer(good, message)
    print(f"{style}: {count} streams opened and reset, the next good one waits {waited:.2f} s", flush=True)
    good.close()
    attacker.open_and_reset(message, count)
    status, took = server.stop(15)
    print(f"  SIGTERM behind as many: status {status} after {took:.1f} s", flush=True)
    # The attacker's connection says nothing to the end, so it takes the grace period.
    return waited < 0.5 and status == 0 and took < GRACE_S + 1


def stuck_handler(build: Path, processor: str, told: str) -> bool:
    server = Server(build, f"test_processors.{processor}", "-g", "1", "--threads", "1")
    client = Peer(server.port)
    client.open(wire.grpc(request("request_headers sleep 600000")))
    time.sleep(0.5)
    status, took = server.stop(15)
    good = status == 1 and took < 4 and told in server.logged()
    print(f"{processor} does not return, grace period 1 s: status {status} after {took:.1f} s, "
          f"{'told' if good else server.logged()}", flush=True)  # fmt: skip
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jobs", default="2,20,100")
    parser.add_argument("--styles", default="blocking,offload")
    options = parser.parse_args()
    build = options.build.resolve()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for style in options.styles.split(","):
            for job in options.jobs.split(","):
                good = overload(build, style, int(job), options.seconds, Path(folder)) and good
            good = dead_streams(build, style) and good
    good = stuck_handler(build, "BlockingScripted", "still running: BlockingScripted: request_headers") and good
    good = stuck_handler(build, "Scripted", "does not let its I/O thread go") and good
    print("held" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
