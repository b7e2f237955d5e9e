"""Frames, header blocks and messages as bytes, legal or not."""

import struct

from harness.message_bytes import (
    ATTRIBUTES,
    CLIENT_WINDOWS,
    FULL_DUPLEX_STREAMED,
    METADATA_CONTEXT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    STREAMED,
    body,
    field,
    grpc,
    header,
    headers,
    modes,
    trailers,
    varint,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 4, 5
PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 1, 3, 6, 8, 9, 11
LARGEST_FRAME = 16_384
LARGEST_WINDOW = (1 << 31) - 1

PROCESS = b"/envoy.service.ext_proc.v3.ExternalProcessor/Process"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def window_update(stream: int, amount: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", amount))


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def data(stream: int, payload: bytes) -> bytes:
    """DATA frames, as many as it takes."""
    pieces = (payload[at : at + LARGEST_FRAME] for at in range(0, len(payload), LARGEST_FRAME))
    return b"".join(frame(DATA, 0, stream, piece) for piece in pieces)


# HPACK (RFC 7541). The first block of a connection puts three headers into the table, those after it name them.


def _number(bits: int, prefix: int, value: int) -> bytes:
    most = (1 << prefix) - 1
    if value < most:
        return bytes([bits | value])
    return bytes([bits | most]) + varint(value - most)


def _text(text: bytes) -> bytes:
    return _number(0, 7, len(text)) + text


def literal(name: bytes, value: bytes, added: bool = False) -> bytes:
    """A header in full; `added` to the table."""
    return (b"\x40" if added else b"\x00") + _text(name) + _text(value)


def indexed(index: int) -> bytes:
    return _number(0x80, 7, index)


POST_HTTP = indexed(3) + indexed(6)
FIRST_BLOCK = POST_HTTP + b"".join(
    literal(name, value, added=True)
    for name, value in ((b":path", PROCESS), (b"content-type", b"application/grpc"), (b"te", b"trailers"))
)
NEXT_BLOCK = POST_HTTP + indexed(64) + indexed(63) + indexed(62)


class Decoder:
    """What the server's header blocks say: it uses no Huffman code, and of the static table few entries."""

    _STATIC = {8: (":status", "200"), 22: ("allow", ""), 31: ("content-type", "")}

    def __init__(self):
        self._table: list[tuple[str, str]] = []

    def __call__(self, block: bytes) -> dict[str, str]:
        self._block, self._at, headers = block, 0, {}
        while self._at < len(block):
            first = block[self._at]
            if first & 0x80:
                name, value = self._entry(self._read_number(7))
            elif first & 0xE0 == 0x20:
                self._read_number(5)
                self._table = []
                continue
            else:
                index = self._read_number(6 if first & 0x40 else 4)
                name = self._entry(index)[0] if index else self._read_text()
                value = self._read_text()
                if first & 0x40:
                    self._table.insert(0, (name, value))
            headers[name] = value
        return headers

    def _entry(self, index: int) -> tuple[str, str]:
        return self._STATIC[index] if index <= 61 else self._table[index - 62]

    def _read_number(self, prefix: int) -> int:
        most = (1 << prefix) - 1
        value = self._block[self._at] & most
        self._at += 1
        if value < most:
            return value
        shift = 0
        while True:
            byte = self._block[self._at]
            self._at += 1
            value += (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def _read_text(self) -> str:
        if self._block[self._at] & 0x80:
            raise ValueError("the server has begun to use the Huffman code: this decoder has to learn it")
        size = self._read_number(7)
        text = self._block[self._at : self._at + size]
        self._at += size
        return text.decode("latin-1")


# First messages, and odd fields. What any message is made of comes from the harness.


def request(
    path: bytes = b"/", *entries: tuple[bytes, bytes], end: bool = True, method: bytes = b"GET", more: bytes = b""
) -> bytes:
    """The first message of a stream, with its gRPC prefix; `more` are further fields of it."""
    return grpc(headers(REQUEST_HEADERS, (b":method", method), (b":path", path), *entries, end=end) + more)


def upload(path: bytes, mode: int, more: bytes = b"") -> bytes:
    """The first message of a request whose body comes in that mode."""
    return request(path, end=False, method=b"POST", more=modes(mode) + more)


def attributes(name: bytes, value: bytes) -> bytes:
    """Attributes of one filter: a Struct with one text."""
    return field(ATTRIBUTES, field(1, b"filter") + field(2, field(1, field(1, name) + field(2, field(3, value)))))


def metadata(value: bytes) -> bytes:
    """metadata_context: of one filter, bytes that nobody reads as a Struct."""
    return field(METADATA_CONTEXT, field(1, field(1, b"filter") + field(2, value)))
