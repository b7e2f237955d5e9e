"""An HTTP/1.1 client that keeps what others tidy up: repeated headers, any bytes in values, trailers."""

import asyncio
import json
from dataclasses import dataclass, field

BETWEEN_CHUNKS = 0.003  # so that they arrive apart
Headers = list[tuple[str, str | bytes]]


@dataclass
class Response:
    status: int
    headers: list[tuple[str, bytes]]
    body: bytes = b""
    trailers: list[tuple[str, bytes]] = field(default_factory=list)

    def all(self, name: str) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str | None:
        """The value of a header that comes once, or None."""
        values = self.all(name)
        assert len(values) < 2, f"{name} is repeated: {values}"
        return values[0].decode("latin-1") if values else None

    def json(self):
        return json.loads(self.body)


class Connection:
    """One connection, kept open from request to request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def request(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        body: bytes | list[bytes] | None = None,
        trailers: Headers | None = None,
    ) -> Response:
        """A body that is a list goes out chunk by chunk, as does one with trailers; else with a content-length."""
        await self.send(method, path, headers, body, trailers)
        return await self.read_response(method)

    async def send(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        body: bytes | list[bytes] | None = None,
        trailers: Headers | None = None,
    ) -> None:
        """The request alone."""
        if isinstance(body, list):
            await self.open_chunked(method, path, headers or [])
            for chunk in body:
                await self.write_chunk(chunk)
                await asyncio.sleep(BETWEEN_CHUNKS)
            await self.end_chunked(trailers)
        else:
            self._writer.write(_encode(method, path, headers or [], body, trailers))

    async def open_chunked(self, method: str, path: str, headers: Headers) -> None:
        """A request whose body follows with write_chunk, and ends with end_chunked."""
        self._writer.write(_encode(method, path, headers, None, []).removesuffix(b"0\r\n\r\n"))
        await self._writer.drain()

    async def write_chunk(self, chunk: bytes) -> None:
        self._writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await self._writer.drain()

    async def end_chunked(self, trailers: Headers | None = None) -> None:
        self._writer.write(b"0\r\n" + b"".join(_line(*trailer) + b"\r\n" for trailer in trailers or []) + b"\r\n")
        await self._writer.drain()

    async def read_head(self) -> Response:
        """Status and headers of the response."""
        status_line = await self._reader.readline()
        if not status_line:
            raise ConnectionError("closed without an answer")
        return Response(int(status_line.split(b" ", 2)[1]), await self._read_headers())

    async def read_chunk(self) -> bytes:
        """The next chunk of a chunked response; empty at the end, behind which the trailers are not read."""
        chunk = await self._reader.readexactly(int(await self._reader.readline(), 16))
        if chunk:
            await self._reader.readline()
        return chunk

    async def read_response(self, method: str) -> Response:
        response = await self.read_head()
        if method == "HEAD" or response.status in (204, 304):
            return response
        if response.get("transfer-encoding") == "chunked":
            response.body = await self._read_chunks()
            response.trailers = await self._read_headers()
        else:
            response.body = await self._reader.readexactly(int(response.get("content-length") or 0))
        return response

    async def _read_headers(self) -> list[tuple[str, bytes]]:
        headers = []
        while (line := await self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            headers.append((name.decode("latin-1").lower(), value.strip(b" \r\n")))
        return headers

    async def _read_chunks(self) -> bytes:
        body = bytearray()
        while chunk := await self.read_chunk():
            body += chunk
        return bytes(body)

    def close(self) -> None:
        self._writer.close()


async def request_async(port: int, method: str, path: str, *, timeout: float = 20.0, **parts) -> Response:
    """One request on a connection of its own."""
    async with asyncio.timeout(timeout):
        connection = await Connection.open(port)
        try:
            return await connection.request(method, path, **parts)
        finally:
            connection.close()


def request(port: int, method: str, path: str, **parts) -> Response:
    """The same, for tests that make one request at a time."""
    return asyncio.run(request_async(port, method, path, **parts))


def _encode(method: str, path: str, headers: Headers, body: bytes | None, trailers: Headers | None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode()]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(b"host: localhost")
    lines += [_line(name, value) for name, value in headers]
    if trailers is not None:
        chunks = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        tail = b"".join(_line(name, value) + b"\r\n" for name, value in trailers)
        return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""]) + chunks + b"0\r\n" + tail + b"\r\n"
    if body is not None:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"", b""]) + (body or b"")


def _line(name: str, value: str | bytes) -> bytes:
    return name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1"))
