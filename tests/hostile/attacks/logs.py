"""What a peer can do to the log, and the log to the server."""

import os
import re
import signal
import time

from lib import wire
from lib.attack import MIB, Run, attack
from lib.peer import Peer
from lib.server import Command

# A line, and what a second may add to the log, in bytes.
LONGEST_LINE = 8 * 1024
MOST_LOG = 128 * 1024
# The answers to so many may wait for a peer that has not read any.
STREAMS_AT_ONCE = 2_000


def malformed(peer: Peer, count: int) -> None:
    """Streams that end as malformed, each of which is worth a line."""
    for at in range(0, count, 500):
        parts = []
        for _ in range(min(500, count - at)):
            stream = peer.next_stream()
            parts.append(peer.head(stream) + wire.data(stream, wire.grpc(b"\xff")))
        peer.send(b"".join(parts))


def ended_by_sigterm(run: Run, server: Command, what: str) -> None:
    server.signal(signal.SIGTERM)
    run.equal(f"{what}: exit status after SIGTERM", server.ends(10), 0)


@attack()
def pipe_that_nobody_reads(run: Run) -> None:
    """Malformed messages while standard error is a pipe that nobody reads"""
    reader, writer = os.pipe()
    server = run.command("Prompt", "--grace-period", 0.5, error=writer)
    os.close(writer)
    malformed(run.connect(server, keeps=False), 5_000)
    time.sleep(0.5)
    run.check("a good request is answered", server.answers(patience=5))
    ended_by_sigterm(run, server, "pipe")
    os.close(reader)


@attack()
def closed_outputs(run: Run) -> None:
    """Malformed messages while standard error is a closed pipe, and while both outputs were closed at the start"""
    reader, writer = os.pipe()
    server = run.command("Prompt", "--grace-period", 0.5, error=writer)
    os.close(writer)
    os.close(reader)
    malformed(run.connect(server, keeps=False), 2_000)
    run.check("closed pipe: a good request is answered", server.answers(patience=5))
    ended_by_sigterm(run, server, "closed pipe")

    server = run.command("Prompt", "--grace-period", 0.5, preexec_fn=lambda: [os.close(number) for number in (0, 1, 2)])
    malformed(run.connect(server, keeps=False), 2_000)
    run.check("closed at the start: a good request is answered", server.answers(patience=5))
    # Log lines are not to go where a socket is.
    taken = [
        os.readlink(f"/proc/{server.pid}/fd/{number}") for number in (1, 2) if os.path.exists(f"/proc/{server.pid}/fd/{number}")
    ]
    run.check("closed at the start: nothing else has their numbers", all(name == "/dev/null" for name in taken), ", ".join(taken))
    ended_by_sigterm(run, server, "closed at the start")


@attack()
def flood(run: Run) -> None:
    """Malformed messages as fast as they go"""
    server = run.command("Prompt", "--grace-period", 0.5)
    count = run.size(200_000, 20_000)
    with run.beside_good_clients(server):
        start = time.monotonic()
        for _ in range(count // STREAMS_AT_ONCE):
            malformed(run.connect(server, keeps=False), STREAMS_AT_ONCE)
        seconds = int(time.monotonic() - start) + 2
    ended_by_sigterm(run, server, "flood")
    run.at_most(f"bytes of log of {count:,} malformed messages", server.log_path.stat().st_size, MOST_LOG * seconds)
    run.check("the log tells of them", "ProcessingRequest" in server.log())


def thrown(server: Command, run: Run, *texts: bytes) -> bytes:
    """The log of requests with these ids, each of which fails with its id."""
    for text in texts:
        with run.connect(server) as peer:
            peer.status(peer.open(wire.request(b"/throw", (b"x-request-id", text))), 5)
    ended_by_sigterm(run, server, "failures")
    return server.log_path.read_bytes()


@attack()
def long_lines(run: Run) -> None:
    """A failed request whose id, and the exception's text, have 4 MiB"""
    server = run.command("Prompt", "--grace-period", 0.5)
    log = thrown(server, run, b"long" * MIB)
    run.check("the failure is told", b"long" in log)
    run.at_most("bytes of the longest line", max(map(len, log.split(b"\n"))), LONGEST_LINE)


@attack()
def injection(run: Run) -> None:
    """Ids with line ends, control characters of terminals, marks of direction, and bytes that are no UTF-8"""
    server = run.command("Prompt", "--grace-period", 0.5)
    ids = (
        b"a\n2026-01-01 00:00:00,000 : CRITICAL : forged",
        b"\x1b[2J\x1b[31mred\x1b]0;title\x07",
        b"\x9b31m c1",
        "‮right to left \u0085 next line \u2028 line".encode(),
        b"\xff\xfe\xc0\x80",
        b"\r\x7f\x00",
    )
    log = thrown(server, run, *ids)
    run.check("the failures are told", log.count(b"failed") >= len(ids))
    run.check("no line is forged", not any(line.startswith(b"2026-01-01 00:00:00,000 : CRITICAL") for line in log.split(b"\n")))
    run.check("no control character is left", not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", log))
    try:
        text = log.decode()
        run.check("what is left is UTF-8", True)
    except UnicodeDecodeError as error:
        text = log.decode(errors="ignore")
        run.check("what is left is UTF-8", False, str(error))
    run.check(
        "no C1 control, line separator or mark of direction is left",
        not re.search("[\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text),
    )
