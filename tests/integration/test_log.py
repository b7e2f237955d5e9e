"""The log, and what it must not do to the server: one that nobody reads, one that is closed, a file that is moved, bytes that
are to look like something else; and signals that are not to end a process."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

import grpc
import pytest

from harness import paths, protos
from harness.extproc import Extproc
from harness.grpc_client import channel, process
from harness.processes import Process, eventually, free_port

GET = {":method": "GET", ":path": "/"}
MALFORMED = b"\xff"
SERVE = ("serve", "-s", "examples.TrivialExtProcService", "-g", "1")


def through_shell(launcher, redirections: str, *arguments) -> tuple[Process, int]:
    """`extproc serve`, with the shell's redirections of its standard files."""
    port = free_port()
    command = ["sh", "-c", f'exec "$@" {redirections}', "sh", paths.built("extproc"), *SERVE, "-p", port, *arguments]
    return launcher.start("extproc", command).wait_until_open(port), port


def answered(chan: grpc.Channel) -> bool:
    return next(process(chan)(iter([protos.request_headers(GET)]), timeout=10)).HasField("request_headers")


def send_malformed(chan: grpc.Channel, count: int) -> None:
    for _ in range(count):
        with pytest.raises(grpc.RpcError) as error:
            list(process(chan)(iter([MALFORMED]), timeout=10))
        assert error.value.code() == grpc.StatusCode.INTERNAL


@pytest.fixture
def full_pipe(tmp_path):
    """A named pipe in which there is no room, and that nobody reads."""
    path = tmp_path / "full"
    os.mkfifo(path)
    ends = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(ends, fcntl.F_SETPIPE_SZ, 4096)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(ends, b"x" * 4096)
    yield path
    os.close(ends)


def test_a_log_that_nobody_reads_changes_nothing_else(own_launcher, full_pipe):
    server, port = through_shell(own_launcher, f"2> {full_pipe}", "-l")
    with channel(port) as chan:
        send_malformed(chan, 3000)
        assert answered(chan)
    server.signal(signal.SIGHUP)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_a_log_whose_reader_is_gone_changes_nothing_else(own_launcher, tmp_path):
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    server, port = through_shell(own_launcher, f"2> {tmp_path / 'log'}", "-l")
    os.close(reader)
    with channel(port) as chan:
        send_malformed(chan, 100)
        assert answered(chan)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_closed_standard_files_are_opened(own_launcher):
    server, port = through_shell(own_launcher, "<&- >&- 2>&-", "-l")
    for number in range(3):
        assert os.readlink(f"/proc/{server.pid}/fd/{number}") == "/dev/null"
    with channel(port) as chan:
        send_malformed(chan, 10)
        assert answered(chan)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_that_do_not_end_it(own_launcher, number):
    server = Extproc(own_launcher, "examples.TrivialExtProcService")
    for _ in range(3):
        server.process.signal(number)
        if number == signal.SIGHUP:
            server.process.wait_for_log("INFO : SIGHUP reads certificates anew")
        with server.channel() as chan:
            assert answered(chan)
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0


def test_the_file_is_opened_anew_on_sigusr1(own_launcher, tmp_path):
    file, moved = tmp_path / "log", tmp_path / "log.1"
    server = Extproc(own_launcher, "examples.TrivialExtProcService", ("--log-file", file))
    eventually(lambda: "listening on" in file.read_text(), "the first line")
    file.rename(moved)
    server.process.signal(signal.SIGUSR1)
    eventually(file.exists, "the new file")
    with server.channel() as chan:
        send_malformed(chan, 1)
    eventually(lambda: "is not a ProcessingRequest" in file.read_text(), "the line in the new file")
    assert "ProcessingRequest" not in moved.read_text()
    assert server.process.log() == ""


def test_a_file_that_cannot_be_written_is_refused(own_launcher, tmp_path):
    server = own_launcher.start("extproc", [paths.built("extproc"), *SERVE, "-p", 0, "--log-file", tmp_path])
    assert server.wait() == 1
    assert server.log() == f'extproc: cannot write the log to "{tmp_path}": Is a directory\n'


def test_one_kind_of_line_has_so_many_a_second(own_launcher):
    server = Extproc(own_launcher, "examples.TrivialExtProcService")
    with server.channel() as chan:
        start = time.monotonic()
        send_malformed(chan, 1000)
        seconds = int(time.monotonic() - start) + 2
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0
    written = len(server.lines("is not a ProcessingRequest"))
    told = [int(line.split(" : ")[2].split()[0]) for line in server.lines("more lines about malformed messages")]
    assert 100 <= written <= 100 * seconds
    assert written + sum(told) == 1000


HOSTILE_IDS = (
    b'a\n2026-01-01T00:00:00.000Z : CRITICAL : forged","level":"CRITICAL',
    b"\x1b[2J\x1b[31mred\x1b]0;title\x07",
    b"\x9b31m c1 \xc2\x9b31m \xc2\x85",
    "\u202eright to left \u2028 \u2066 \u200f".encode(),
    b"\xff\xfe \xe2\x80 \xed\xa0\x80",
    b'"\\',
    b"long" * 300_000,
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_ids_of_callers_are_shown_as_what_they_are(own_launcher, form):
    server = Extproc(own_launcher, None, ("--log-format", form), env={"LOG_LEVEL": "DEBUG"})
    with server.channel() as chan:
        for caller_id in (*HOSTILE_IDS, b"plain-id"):
            message = protos.ProcessingRequest()
            header = message.request_headers.headers.headers.add()
            header.key, header.raw_value = "x-request-id", caller_id
            assert next(process(chan)(iter([message]), timeout=10)).HasField("request_headers")
        server.process.wait_for_log("plain-id")
    server.process.signal(signal.SIGTERM)
    assert server.process.wait() == 0
    log = Path(server.process.log_path).read_bytes()
    assert not any(byte < 0x20 and byte != 0x0A or byte >= 0x7F for byte in log)
    lines = log.decode().splitlines()
    assert max(map(len, lines)) < 4096
    begun = [line for line in lines if "request_headers" in line and "begins" in line]
    assert len(begun) == len(HOSTILE_IDS) + 1
    if form == "json":
        objects = [json.loads(line) for line in lines]
        assert all({"time", "level", "message"} <= line.keys() for line in objects)
        assert {line["level"] for line in objects if "in clear text" not in line["message"]} == {"DEBUG", "INFO"}
        of_request = next(line for line in objects if line.get("request_id") == "plain-id")
        assert (of_request["processor"], of_request["phase"]) == ("BaseExtProcService", "request_headers")
    else:
        assert not any(line.split(" : ")[1] == "CRITICAL" for line in lines)
        assert any(line.endswith("request_headers begins for request plain-id") for line in lines)
