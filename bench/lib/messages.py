"""Serialised ProcessingRequests, as Envoy 1.40 sends them for a plain GET."""

REQUEST_ID = "6f1c3c0e-2b67-4a52-9d3c-5f4e8a7b1d20"

# As Envoy 1.40 sent them for a request of wrk, and for the answer of the echo upstream.
REQUEST_HEADERS = (
    (":authority", "127.0.0.1:10000"),
    (":path", "/"),
    (":method", "GET"),
    (":scheme", "http"),
    ("x-forwarded-proto", "http"),
    ("x-request-id", REQUEST_ID),
)
RESPONSE_HEADERS = (
    (":status", "200"),
    ("content-type", "application/json"),
    ("content-length", "214"),
    ("x-envoy-upstream-service-time", "0"),
)
_REQUEST_HEADERS_FIELD, _RESPONSE_HEADERS_FIELD = 2, 3
_METADATA_CONTEXT_FIELD, _PROTOCOL_CONFIG_FIELD = 8, 11


def request_headers(count: int = len(REQUEST_HEADERS), body_mode: int = 0) -> bytes:
    """The first message of a stream, with `count` headers; the mode is the number of a BodySendMode."""
    config = b"\x08" + bytes([body_mode]) if body_mode else b""
    message = _field(_REQUEST_HEADERS_FIELD, _headers(REQUEST_HEADERS, count, end=not body_mode))
    return message + _field(_METADATA_CONTEXT_FIELD, b"") + _field(_PROTOCOL_CONFIG_FIELD, config)


def response_headers(count: int = len(RESPONSE_HEADERS)) -> bytes:
    message = _field(_RESPONSE_HEADERS_FIELD, _headers(RESPONSE_HEADERS, count, end=False))
    return message + _field(_METADATA_CONTEXT_FIELD, b"")


def grpc_frames(*messages: bytes) -> bytes:
    """The body of a gRPC call that sends these messages."""
    return b"".join(b"\0" + len(message).to_bytes(4, "big") + message for message in messages)


def _headers(first: tuple, count: int, end: bool) -> bytes:
    """An HttpHeaders of the given headers, with others behind them up to `count`; below it, the last ones alone."""
    others = ((f"x-header-{i:03}", f"the value of header {i:03}") for i in range(count - len(first)))
    entries = (_field(1, name.encode()) + _field(3, value.encode()) for name, value in (*first[-count:], *others))
    return _field(1, b"".join(_field(1, entry) for entry in entries)) + (b"\x18\x01" if end else b"")


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
