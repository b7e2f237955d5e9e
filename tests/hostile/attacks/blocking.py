"""Handlers that block: what becomes of requests that nobody waits for any more."""

import re
import signal
import time

from lib import wire
from lib.attack import Run, attack
from lib.peer import Peer
from lib.server import Server

# How long a handler blocks, in milliseconds, and how many can at once.
BLOCKS = 20
THREADS = 16
PROCESSORS = ("Blocks", "Offloads")


def dead_requests(peer: Peer, count: int) -> None:
    """Requests that are reset in the same breath."""
    peer.open_and_reset(wire.request(b"/block"), count)


def ran(run: Run, server: Server, patience: float) -> int | None:
    """How often a handler has blocked, as a good request is told, which has to wait for a thread itself."""
    with run.connect(server) as peer:
        stream = peer.open(wire.request())
        if not peer.answered(stream, timeout=patience):
            return None
        found = re.search(rb"x-ran\x1a.(\d+)", peer.streams[stream].messages[0], re.DOTALL)
        return int(found[1])


@attack()
def dead_jobs(run: Run) -> None:
    """Requests to handlers that block, reset in the same breath: none but those that have a thread may still run"""
    count = run.size(20_000, 2_000)
    for processor in PROCESSORS:
        server = run.serve(processor)
        peer = run.connect(server, keeps=False)
        dead_requests(peer, count)
        peer.close()
        start = time.monotonic()
        blocked = ran(run, server, patience=40)
        run.check(f"{processor}: a good request is answered", blocked is not None)
        run.time_at_most(f"{processor}: a good request is answered", (time.monotonic() - start) * 1000, 1000)
        # What runs, what was taken before its reset was read, and as many again.
        run.at_most(f"{processor}: handlers that ran, of {count:,} dead ones", blocked or 0, count // 10 + 4 * THREADS)
        run.is_over(server)


@attack()
def end_with_dead_jobs(run: Run) -> None:
    """SIGTERM while dead requests wait for a thread"""
    count = run.size(20_000, 4_000)
    for processor in PROCESSORS:
        server = run.command(processor, "--grace-period", "1")
        peer = run.connect(server, keeps=False)
        dead_requests(peer, count)
        time.sleep(0.2)
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        # All of them would take a second for each 800.
        status = server.ends(max(4.0, count * BLOCKS / THREADS / 1000 * 0.6))
        run.equal(f"{processor}: exit status", status, 0)
        run.time_at_most(f"{processor}: it ends", (time.monotonic() - start) * 1000, 2500)


@attack(short=False)
def overload(run: Run) -> None:
    """A quarter more requests than handlers that block can take, each given up after 200 ms, as Envoy does"""
    capacity = THREADS * 1000 // BLOCKS
    rate, seconds, patience = capacity * 5 // 4, 10, 0.2
    for processor in PROCESSORS:
        server = run.serve(processor)
        peer = run.connect(server)
        message = wire.request(b"/block")
        waiting: dict[int, float] = {}
        answered = [0] * (seconds + 1)
        start = time.monotonic()
        sent = 0
        while (now := time.monotonic()) < start + seconds:
            for stream, since in list(waiting.items()):
                if peer.streams[stream].messages:
                    answered[int(now - start)] += 1
                elif now - since < patience:
                    continue
                peer.send(wire.reset(stream))
                del waiting[stream], peer.streams[stream]
            while sent < (now - start) * rate and len(waiting) < 700:
                waiting[peer.open(message)] = now
                sent += 1
            time.sleep(0.002)
        run.note(f"{processor}: answered in each second: {answered[:seconds]}")
        # The first seconds are those in which the queue grows.
        run.at_least(f"{processor}: answered in time in a second, at the least", min(answered[2:seconds]), capacity // 3)
        run.is_over(server)
