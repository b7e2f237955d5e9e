"""One HTTP/2 connection to the server under attack. It sends what it is told; a thread reads what comes."""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from lib import wire


class Ended(Exception):
    """The connection, or the stream in question, is over; or the server holds the sender back for good."""


@dataclass
class Stream:
    """What has come of a stream."""

    window: int
    messages: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    reset: int | None = None
    ended: bool = False
    _unfinished: bytes = b""

    def take(self, payload: bytes) -> None:
        """A DATA frame's: messages, or parts of them."""
        payload = self._unfinished + payload
        at = 0
        while len(payload) >= at + 5:
            end = at + 5 + int.from_bytes(payload[at + 1 : at + 5], "big")
            if end > len(payload):
                break
            self.messages.append(payload[at + 5 : end])
            at = end
        self._unfinished = payload[at:]

    @property
    def status(self) -> str:
        """How the call ended: a gRPC status, "reset <code>", or "open"."""
        if "grpc-status" in self.headers:
            return self.headers["grpc-status"]
        return f"reset {self.reset}" if self.reset is not None else "open"


class Peer:
    """`reads`: whether it takes what the server sends. `keeps`: whether it looks at it, which takes time. Its own windows are as large
    as may be. `answers_pings`: with what it sends next, or while it waits."""

    def __init__(
        self,
        port: int,
        *pairs: tuple[int, int],
        hello: bool = True,
        acknowledge: bool = True,
        reads: bool = True,
        keeps: bool = True,
        answers_pings: bool = True,
        receive_buffer: int | None = None,
        timeout: float = 20.0,
    ):
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(timeout)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.streams: dict[int, Stream] = {}
        self.sent = 0
        # Bytes, of one that reads and does not keep.
        self.received = 0
        self.closed = False
        self.goaway: int | None = None
        self._answers_pings = answers_pings
        self._pongs: list[bytes] = []
        self._next_stream = 1
        self._stream_window = self._window = 65_535
        self._changed = threading.Condition()
        self._decode = wire.Decoder()
        if reads:
            threading.Thread(target=self._read if keeps else self._drop, daemon=True).start()
        if hello:
            pairs = ((wire.INITIAL_WINDOW_SIZE, wire.LARGEST_WINDOW), *pairs)
            self.send(wire.PREFACE + wire.settings(*pairs) + (wire.frame(wire.SETTINGS, wire.ACK, 0) if acknowledge else b""))
            self.send(wire.window_update(0, wire.LARGEST_WINDOW - 65_535))

    def send(self, *parts: bytes) -> None:
        """Whatever the windows say."""
        with self._changed:
            pongs, self._pongs = self._pongs, []
        try:
            for part in (*pongs, *parts):
                self._socket.sendall(part)
                self.sent += len(part)
        except OSError as error:
            self._end()
            raise Ended(str(error)) from None

    def next_stream(self) -> int:
        """The number of a new stream, which nothing has been sent on."""
        number = self._next_stream
        self._next_stream += 2
        self.streams[number] = Stream(self._stream_window)
        return number

    def head(self, stream: int, end: bool = False) -> bytes:
        """The HEADERS frame of a call. To be sent in the order in which it was asked for."""
        block = wire.FIRST_BLOCK if stream == 1 else wire.NEXT_BLOCK
        return wire.frame(wire.HEADERS, wire.END_HEADERS | (wire.END_STREAM if end else 0), stream, block)

    def open(self, message: bytes = b"") -> int:
        """A new call with that for its first bytes."""
        stream = self.next_stream()
        self.send(self.head(stream) + (wire.data(stream, message) if message else b""))
        return stream

    def open_and_reset(self, message: bytes, count: int) -> None:
        """So many calls, each reset in the same breath."""
        for at in range(0, count, 500):
            opened = [self.next_stream() for _ in range(min(500, count - at))]
            self.send(b"".join(self.head(stream) + wire.data(stream, message) + wire.reset(stream) for stream in opened))

    def upload(self, stream: int, payload: bytes, patience: float = 2.0) -> None:
        """As much as the server's windows let through; Ended when they stay closed."""
        at = 0
        state = self.streams[stream]
        while at < len(payload):
            with self._changed:
                room = self._changed.wait_for(lambda: self.closed or state.ended or min(self._window, state.window) > 0, patience)
                if not room or self.closed or state.ended:
                    raise Ended("held back" if not room else "over")
                size = min(len(payload) - at, self._window, state.window, 1 << 20)
                self._window -= size
                state.window -= size
            self.send(wire.data(stream, payload[at : at + size]))
            at += size

    def answered(self, stream: int, messages: int = 1, timeout: float = 10.0) -> bool:
        """Whether that many answers come on the stream."""
        return self.until(lambda: len(self.streams[stream].messages) >= messages, timeout)

    def status(self, stream: int, timeout: float = 10.0) -> str:
        """How the call ended; "open" where it does not end in time."""
        self.until(lambda: self.streams[stream].ended, timeout)
        return self.streams[stream].status

    def until(self, condition, timeout: float = 10.0) -> bool:
        """Waits for the condition, or the end of the connection; whether it holds."""
        end = time.monotonic() + timeout
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.closed or condition() or self._pongs, end - time.monotonic())
                if self.closed or not self._pongs or condition():
                    return bool(condition())
            self.send()

    def ended(self) -> bool:
        """Whether the server has closed the connection; also of one that does not read."""
        if not self.closed:
            # The first byte of tcp_info is the state: 1 is established.
            self.closed = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1
        return self.closed

    def take(self, size: int, timeout: float = 1.0) -> int:
        """Reads at most so many bytes, of one that does not read by itself; how many there were."""
        self._socket.settimeout(timeout)
        try:
            return len(self._socket.recv(size))
        except OSError:
            return 0

    def close(self, abort: bool = False) -> None:
        with contextlib.suppress(OSError):
            if abort:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_error) -> None:
        self.close()

    def _end(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _receive(self) -> bytes:
        while True:
            try:
                return self._socket.recv(1 << 18)
            except TimeoutError:
                continue
            except OSError:
                return b""

    def _drop(self) -> None:
        while piece := self._receive():
            self.received += len(piece)
        self._end()

    def _read(self) -> None:
        buffer = bytearray()
        while piece := self._receive():
            buffer += piece
            at = 0
            with self._changed:
                while len(buffer) >= at + 9:
                    size = int.from_bytes(buffer[at : at + 3], "big")
                    if len(buffer) < at + 9 + size:
                        break
                    kind, flags, stream = struct.unpack_from(">BBI", buffer, at + 3)
                    self._take(kind, flags, stream & wire.LARGEST_WINDOW, bytes(buffer[at + 9 : at + 9 + size]))
                    at += 9 + size
                self._changed.notify_all()
            del buffer[:at]
        self._end()

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == wire.SETTINGS and not flags & wire.ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack_from(">HI", payload, at)
                if name == wire.INITIAL_WINDOW_SIZE:
                    for stream in self.streams.values():
                        stream.window += value - self._stream_window
                    self._stream_window = value
        elif kind == wire.GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        elif kind == wire.PING and not flags & wire.ACK and self._answers_pings:
            self._pongs.append(wire.frame(wire.PING, wire.ACK, 0, payload))
        elif kind == wire.WINDOW_UPDATE and number == 0:
            self._window += int.from_bytes(payload, "big")
        if kind == wire.HEADERS:
            # Decoded also for streams that nobody asks for: the table follows each block.
            decoded = self._decode(payload)
        if number not in self.streams:
            return
        stream = self.streams[number]
        if kind == wire.WINDOW_UPDATE:
            stream.window += int.from_bytes(payload, "big")
        elif kind == wire.RST_STREAM:
            stream.reset = int.from_bytes(payload, "big")
            stream.ended = True
        elif kind == wire.HEADERS:
            stream.headers |= decoded
        elif kind == wire.DATA:
            stream.take(payload)
        if kind in (wire.HEADERS, wire.DATA) and flags & wire.END_STREAM:
            stream.ended = True
