"""An HTTP/1.1 upstream for what the echo upstream does not do: it sends the body back as it came, and trailers.

Run as a program: `python upstream.py PORT`. A request header x-reply-header (repeatable, "name: value") sets a header of the
response, x-reply-request-header names a header of the request that comes back in the response, x-reply-trailer sets a
trailer, x-reply-bytes is the size of a generated body, x-reply-chunks in how many chunks the body leaves, a moment apart.
The request's trailers come back as headers named trailer-<name>, its content-length as seen-content-length, its method as
seen-method.
"""

import asyncio
import sys

BETWEEN_CHUNKS = 0.003


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


def reply(headers: list, body: bytes, request_trailers: list) -> list[bytes]:
    """What to send, in pieces."""
    fields = dict(headers)
    lines = [b"HTTP/1.1 200 OK"]
    lines += [value for name, value in headers if name == b"x-reply-header"]
    returned = [value for name, value in headers if name == b"x-reply-request-header"]
    lines += [b"%b: %b" % header for header in headers if header[0] in returned]
    lines += [b"trailer-%b: %b" % trailer for trailer in request_trailers]
    lines.append(b"seen-method: " + fields[b":method"])
    lines.append(b"seen-content-length: " + fields.get(b"content-length", b"none"))
    if b"x-reply-bytes" in fields:
        body = b"r" * int(fields[b"x-reply-bytes"])
    trailers = [value for name, value in headers if name == b"x-reply-trailer"]
    count = int(fields.get(b"x-reply-chunks", 1))
    if not trailers and count == 1:
        return [b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body])]
    size = max(1, -(-len(body) // count))
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[at : at + size] for at in range(0, len(body), size))]
    chunks.append(b"\r\n".join([b"0", *trailers, b"", b""]))
    head = b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""])
    return [head, *chunks] if count > 1 else [head + b"".join(chunks)]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            headers = [(b":method", line.split(b" ")[0]), *await read_headers(reader)]
            body, trailers = await read_body(reader, headers)
            head, *chunks = reply(headers, body, trailers)
            writer.write(head)
            for chunk in chunks:
                await writer.drain()
                await asyncio.sleep(BETWEEN_CHUNKS)
                writer.write(chunk)
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
