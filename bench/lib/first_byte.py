"""A caller of a model: one connection, one request after the other, and how long it waits for what."""

import socket
import time
from dataclasses import dataclass

from lib.errors import WrongAnswer

_END = b"0\r\n\r\n"
_TIMEOUT = 20


@dataclass(frozen=True)
class Answer:
    head: bytes
    body: bytes
    """With the sizes of its chunks in it."""
    first_us: float
    """From the request to the first byte of the first event."""
    whole_us: float


class Caller:
    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()

    def ask(self, body: bytes, request_id: str = "") -> Answer:
        head = f"POST /v1/chat HTTP/1.1\r\nhost: models\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        head += f"x-request-id: {request_id}\r\n" if request_id else ""
        begin = time.perf_counter_ns()
        self._socket.sendall(head.encode() + b"\r\n" + body)
        got = self._read(b"")
        while b"\r\n\r\n" not in got:
            got = self._read(got)
        if not got.startswith(b"HTTP/1.1 200 "):
            raise WrongAnswer(f"the answer is {got[:800].decode(errors='replace')}")
        while b"data:" not in got:
            got = self._read(got)
        first = time.perf_counter_ns()
        while not got.endswith(_END):
            got = self._read(got)
        whole = time.perf_counter_ns()
        answered, _, events = got.partition(b"\r\n\r\n")
        return Answer(answered, events, (first - begin) / 1e3, (whole - begin) / 1e3)

    def _read(self, got: bytes) -> bytes:
        try:
            more = self._socket.recv(1 << 16)
        except TimeoutError:
            raise WrongAnswer(f"no answer within {_TIMEOUT} s, but {got[-800:].decode(errors='replace')}") from None
        if not more:
            raise WrongAnswer(f"closed behind {got[-800:].decode(errors='replace')}")
        return got + more
