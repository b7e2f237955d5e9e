"""An HTTP/1.1 upstream for bodies of any size, which it never holds as a whole.

Run as a program: `python streaming_upstream.py PORT`. By the path:
  /sink          reads the body, then answers with JSON: bytes, crc, trailers
  /source/BYTES  generates a body
  /echo          answers each chunk as it comes
  /stuck         reads the headers and nothing more
"""

import json
import socket
import sys
import threading
import zlib

PIECE = bytes(range(97, 123)) * 10_000


def generate(count: int):
    """A body of `count` bytes in pieces."""
    while count > 0:
        piece = PIECE[:count]
        yield piece
        count -= len(piece)


def read_headers(stream) -> dict[bytes, bytes]:
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip(b" \r\n")
    return headers


def chunks(stream, headers: dict[bytes, bytes], trailers: dict[bytes, bytes]):
    """The body's chunks; fills `trailers` at the end."""
    if headers.get(b"transfer-encoding") != b"chunked":
        left = int(headers.get(b"content-length", 0))
        while left > 0:
            piece = stream.read1(min(left, 1 << 20))
            if not piece:
                raise ConnectionError("closed in the middle of a body")
            left -= len(piece)
            yield piece
        return
    while size := int(stream.readline(), 16):
        piece = stream.read(size)
        if len(piece) < size:
            raise ConnectionError("closed in the middle of a body")
        stream.readline()
        yield piece
    trailers.update(read_headers(stream))


def summary(pieces) -> dict:
    count = crc = 0
    for piece in pieces:
        count += len(piece)
        crc = zlib.crc32(piece, crc)
    return {"bytes": count, "crc": crc}


def serve_one(connection: socket.socket, stream) -> bool:
    line = stream.readline()
    if not line:
        return False
    path = line.split(b" ")[1]
    headers, trailers = read_headers(stream), {}
    body = chunks(stream, headers, trailers)
    if path == b"/stuck":
        threading.Event().wait()
    elif path == b"/echo":
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in body:
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
    elif path.startswith(b"/source/"):
        summary(body)
        count = int(path.rpartition(b"/")[2])
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % count)
        for piece in generate(count):
            connection.sendall(piece)
    else:
        reply = summary(body)
        reply["trailers"] = {name.decode(): value.decode() for name, value in trailers.items()}
        text = json.dumps(reply).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))
    return True


def serve(connection: socket.socket) -> None:
    try:
        with connection, connection.makefile("rb", 1 << 20) as stream:
            while serve_one(connection, stream):
                pass
    except (ConnectionError, ValueError):
        pass


def main(port: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=1024) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]))
