"""A request for another protocol as HTTP/1 has it, which is how filters see it and cases write it, and as HTTP/2 has it
(RFC 8441), which is how the players send it."""

Headers = list[tuple[bytes, bytes]]
_OF_HTTP_1 = (b"connection", b"upgrade")


def to_connect(headers: Headers) -> Headers:
    protocol = dict(headers)[b"upgrade"]
    kept = [(name, value) for name, value in headers if name not in (*_OF_HTTP_1, b":method")]
    return [(b":method", b"CONNECT"), (b":protocol", protocol), *kept]


def from_connect(headers: Headers | None) -> Headers | None:
    if headers is None or (protocol := dict(headers).get(b":protocol")) is None:
        return headers
    kept = [(name, value) for name, value in headers if name not in (b":method", b":protocol")]
    return [(b":method", b"GET"), *kept, (b"connection", b"upgrade"), (b"upgrade", protocol)]


def to_success(headers: Headers) -> Headers:
    if dict(headers).get(b":status") != b"101":
        return headers
    return [(b":status", b"200"), *((name, value) for name, value in headers if name not in (*_OF_HTTP_1, b":status"))]


def from_success(headers: list[list[str]]) -> list[list[str]]:
    """Of an outcome, whose headers are sorted by name."""
    kept = [header for header in headers if header[0] != ":status"]
    switching = [[":status", "101"], *([name.decode(), value] for name, value in zip(_OF_HTTP_1, ("upgrade", "websocket"), strict=True))]
    return sorted([*kept, *switching], key=lambda header: header[0])
