"""Serialised ProcessingRequests, as Envoy 1.40 sends them for a plain GET."""

from harness import message_bytes
from harness.message_bytes import field, grpc

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
# In which bodies come to the variants of a server.
BODY_MODES = {
    "headers": message_bytes.NONE,
    "streamed": message_bytes.STREAMED,
    "buffered": message_bytes.BUFFERED,
    "fds": message_bytes.FULL_DUPLEX_STREAMED,
}
_NO_METADATA = field(message_bytes.METADATA_CONTEXT, b"")


def request_headers(count: int = len(REQUEST_HEADERS), body_mode: int = message_bytes.NONE, more: tuple[tuple[str, str], ...] = ()) -> bytes:
    """The first message of a stream, with `count` headers, and more behind them."""
    end = body_mode == message_bytes.NONE
    headers = _headers(message_bytes.REQUEST_HEADERS, REQUEST_HEADERS, count, end, more)
    return headers + _NO_METADATA + message_bytes.modes(body_mode)


def response_headers(count: int = len(RESPONSE_HEADERS)) -> bytes:
    return _headers(message_bytes.RESPONSE_HEADERS, RESPONSE_HEADERS, count, end=False) + _NO_METADATA


def grpc_frames(*messages: bytes) -> bytes:
    """The body of a gRPC call that sends these messages."""
    return b"".join(map(grpc, messages))


def _headers(kind: int, first: tuple, count: int, end: bool, more: tuple = ()) -> bytes:
    """The given headers, with others behind them up to `count`; below it, the last ones alone. Then `more`."""
    others = ((f"x-header-{i:03}", f"the value of header {i:03}") for i in range(count - len(first)))
    entries = ((name.encode(), value.encode()) for name, value in (*first[-count:], *others, *more))
    return message_bytes.headers(kind, *entries, end=end)
