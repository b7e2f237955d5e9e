"""ProcessingRequests as bytes, in the order of fields in which Envoy writes them, legal or not. Only the standard library: whoever
has the message classes of harness/protos.py, and wants nothing odd, takes those."""

# Body modes of ProcessingMode.
NONE, STREAMED, BUFFERED, FULL_DUPLEX_STREAMED = 0, 1, 2, 4

# ProcessingRequest: the numbers of its fields.
REQUEST_HEADERS, RESPONSE_HEADERS, REQUEST_BODY, RESPONSE_BODY, REQUEST_TRAILERS, RESPONSE_TRAILERS = range(2, 8)
METADATA_CONTEXT, ATTRIBUTES, OBSERVABILITY_MODE, PROTOCOL_CONFIG, CLIENT_WINDOWS, WINDOWS_GROW = range(8, 14)


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def grpc(message: bytes, compressed: int = 0) -> bytes:
    """With gRPC's prefix."""
    return bytes([compressed]) + len(message).to_bytes(4, "big") + message


def header(name: bytes, value: bytes) -> bytes:
    """An entry of a HeaderMap."""
    return field(1, field(1, name) + field(3, value))


def headers(kind: int, *entries: tuple[bytes, bytes], end: bool = False) -> bytes:
    return field(kind, field(1, b"".join(header(*entry) for entry in entries)) + (field(3, 1) if end else b""))


def body(kind: int, chunk: bytes, end: bool = False) -> bytes:
    return field(kind, field(1, chunk) + (field(2, 1) if end else b""))


def trailers(kind: int, *entries: tuple[bytes, bytes]) -> bytes:
    return field(kind, field(1, b"".join(header(*entry) for entry in entries)))


def modes(request_body: int = NONE, response_body: int = NONE) -> bytes:
    """protocol_config: how bodies come."""
    numbered = enumerate((request_body, response_body), start=1)
    return field(PROTOCOL_CONFIG, b"".join(field(number, mode) for number, mode in numbered if mode != NONE))
