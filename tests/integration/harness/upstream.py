"""An HTTP/1.1 upstream for what the echo upstream does not do: it sends the body back as it came, and trailers.

Run as a program: `python upstream.py PORT`. A request header x-reply-header (repeatable, "name: value") sets a header of the
response, x-reply-request-header names a header of the request that comes back in the response, x-reply-trailer sets a
trailer, x-reply-bytes is the size of a generated body. The request's trailers come back as headers named trailer-<name>, its
content-length as seen-content-length.
"""

import asyncio
import sys


async def read_headers(reader: asyncio.StreamReader) -> list[tuple[bytes, bytes]]:
    headers = []
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \r\n")))
    return headers


async def read_body(reader: asyncio.StreamReader, headers: list) -> tuple[bytes, list]:
    fields = dict(headers)
    if fields.get(b"transfer-encoding") != b"chunked":
        return await reader.readexactly(int(fields.get(b"content-length", 0))), []
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    return bytes(body), await read_headers(reader)


def reply(headers: list, body: bytes, request_trailers: list) -> bytes:
    fields = dict(headers)
    lines = [b"HTTP/1.1 200 OK"]
    lines += [value for name, value in headers if name == b"x-reply-header"]
    returned = [value for name, value in headers if name == b"x-reply-request-header"]
    lines += [b"%b: %b" % header for header in headers if header[0] in returned]
    lines += [b"trailer-%b: %b" % trailer for trailer in request_trailers]
    lines.append(b"seen-content-length: " + fields.get(b"content-length", b"none"))
    if b"x-reply-bytes" in fields:
        body = b"r" * int(fields[b"x-reply-bytes"])
    trailers = [value for name, value in headers if name == b"x-reply-trailer"]
    if not trailers:
        return b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body])
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", chunk + b"0", *trailers, b"", b""])


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readline():
            headers = await read_headers(reader)
            body, trailers = await read_body(reader, headers)
            writer.write(reply(headers, body, trailers))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
