"""The load generators: how each is called, and what it reports."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import paths

from lib import messages
from lib.errors import BenchError, WrongAnswer
from lib.servers import PROGRAMS

PATH = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
# A run that takes longer is broken.
_TIMEOUT = 300
# Of each answer, the request id alone has so many bytes.
_LEAST_ANSWER_BYTES = 2 * len(messages.REQUEST_ID)
_WRK_REPORT = Path(__file__).resolve().parents[1] / "load" / "report.lua"


@dataclass(frozen=True)
class Latency:
    """In microseconds."""

    p50: float
    p99: float
    p999: float


@dataclass(frozen=True)
class Done:
    """What a load generator did."""

    count: int
    seconds: float
    latency: Latency | None = None

    @property
    def rate(self) -> float:
        return self.count / self.seconds


class Messages:
    """Files with the messages that the generators send."""

    def __init__(self, folder: Path):
        self._folder = folder

    def two_messages(self) -> Path:
        return self._write("two", messages.grpc_frames(messages.request_headers(), messages.response_headers()))

    def request(self, headers: int = len(messages.REQUEST_HEADERS), variant: str = "headers") -> Path:
        message = messages.request_headers(headers, messages.BODY_MODES[variant])
        return self._write(f"request-{headers}-{variant}", message)

    def request_with(self, name: str, more: tuple[tuple[str, str], ...]) -> Path:
        return self._write(f"request-{name}", messages.request_headers(more=more))

    def response(self, headers: int = len(messages.RESPONSE_HEADERS)) -> Path:
        return self._write(f"response-{headers}", messages.response_headers(headers))

    def _write(self, name: str, data: bytes) -> Path:
        path = self._folder / f"{name}.bin"
        if not path.exists():
            path.write_bytes(data)
        return path


def _run(command: list) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise WrongAnswer(f"no end after {_TIMEOUT} s: {command[0]}") from None


def h2load(files: Messages, address: str, count: int, connections: int, concurrency: int) -> Done:
    """Streams whose two messages and END_STREAM leave at once; the server ends each with its status."""
    unix = address.startswith("unix:")
    target = f"http://{'bench' if unix else address}{PATH}"
    command = [
        paths.tool("h2load"), "-n", count, "-c", connections, "-m", max(1, concurrency // connections), "-t", 1,
        "-d", files.two_messages(), "-H", "content-type: application/grpc", "-H", "te: trailers",
        *(["-B", address] if unix else []), target,
    ]  # fmt: skip
    done = _run(command)
    outcome = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
    if done.returncode != 0 or outcome is None:
        raise WrongAnswer(f"h2load: {done.stdout[-800:]}{done.stderr[-800:]}")
    succeeded, *lost = (int(number) for number in outcome.groups())
    # h2load looks at the HTTP status only, which is 200 for a gRPC error too; an answer is longer than an error.
    data = int(re.search(r"traffic: .*?\((\d+)\) data$", done.stdout, re.MULTILINE).group(1))
    if succeeded != count or any(lost) or data < count * _LEAST_ANSWER_BYTES:
        raise WrongAnswer(f"h2load: {outcome.group()}, {data} bytes of answers")
    return Done(count, _seconds(re.search(r"finished in ([\d.]+)(us|ms|s|m)", done.stdout)))


def _seconds(match: re.Match) -> float:
    return float(match.group(1)) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[match.group(2)]


def bench_load(
    files: Messages,
    address: str,
    count: int,
    connections: int,
    concurrency: int,
    *,
    headers: int | None = None,
    variant: str = "headers",
    body_bytes: int = 0,
    seconds: float = 0,
    tls_ca: Path | None = None,
    request: Path | None = None,
) -> Done:
    """Streams as Envoy's: each message waits for the answer before it, END_STREAM and RST_STREAM at the end."""
    request = request or (files.request(headers, variant) if headers else files.request(variant=variant))
    response = files.response(headers) if headers else files.response()
    command = [
        PROGRAMS / "bench/load/bench_load", "run", "--connect", address, "--count", count, "--connections", connections,
        "--concurrency", concurrency, "--request-headers", request, "--response-headers", response,
        "--seconds", seconds,
        "--variant", variant, *(["--body-bytes", body_bytes] if body_bytes else []), *_tls(tls_ca),
    ]  # fmt: skip
    done = _run(command)
    if done.returncode != 0:
        raise WrongAnswer(f"bench_load: {done.stdout[-800:]}{done.stderr[-800:]}")
    report = json.loads(done.stdout)
    return Done(report["completed"], report["seconds"], Latency(**report["latency_us"]))


def _tls(ca: Path | None) -> list:
    return ["--tls-ca", ca] if ca else []


def wrk(port: int, connections: int, seconds: float, body_bytes: int = 0) -> Done:
    """HTTP/1.1 requests to Envoy, each connection one at a time: GET, or POST with a body."""
    command = [
        "wrk",
        "-t",
        1,
        "-c",
        connections,
        "-d",
        f"{max(1, round(seconds))}s",
        "-s",
        _WRK_REPORT,
        f"http://127.0.0.1:{port}/",
        "--",
        body_bytes,
    ]
    done = _run(command)
    report = re.search(r"^report (\{.*\})$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or report is None:
        raise BenchError(f"wrk: {done.stdout[-800:]}{done.stderr[-800:]}")
    values = json.loads(report.group(1))
    if values["errors"]:
        raise WrongAnswer(f"wrk: {values['errors']} of {values['requests']} requests failed")
    return Done(values["requests"], values["seconds"], Latency(values["p50"], values["p99"], values["p999"]))


def turns(ports: list[int], pid: int, count: int, requests: int, body_bytes: int = 0) -> list[tuple[Done, float]]:
    """The same, on one connection to each port, which take so many turns of so many requests; with the CPU seconds of `pid`."""
    command = [PROGRAMS / "bench/load/bench_turns", count, requests, body_bytes, pid, *ports]
    done = _run(command)
    if done.returncode != 0:
        raise WrongAnswer(f"bench_turns: {done.stderr[-800:]}")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        (Done(each["done"]["completed"], each["done"]["seconds"], Latency(**each["done"]["latency_us"])), each["cpu_seconds"])
        for each in reports
    ]


class IdleStreams:
    """Streams that are held open by bench_load."""

    def __init__(self, files: Messages, address: str, count: int, connections: int, tls_ca: Path | None = None):
        command = [
            PROGRAMS / "bench/load/bench_load", "idle", "--connect", address, "--count", count,
            "--connections", connections, "--seconds", _TIMEOUT, "--request-headers", files.request(), *_tls(tls_ca),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._expect("open")

    def close(self) -> None:
        self._next()
        self._expect("closed")

    def end(self) -> None:
        self._next()
        self._process.wait(_TIMEOUT)

    def _next(self) -> None:
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def _expect(self, word: str) -> None:
        line = self._process.stdout.readline().strip()
        if line != word:
            raise WrongAnswer(f"idle streams: {line} {self._process.stderr.read()[-400:]}")

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
