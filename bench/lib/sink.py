"""What takes spans and forgets them, with as little work as there can be."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


class Sink:
    def __init__(self):
        self.posts = 0
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                left = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                while left > 0:
                    left -= len(await reader.read(min(left, 1 << 20)))
                self.posts += 1
                writer.write(_RESPONSE)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@contextmanager
def running() -> Iterator[Sink]:
    """On a port of the loopback."""
    sink = Sink()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(sink.take, "127.0.0.1", 0, limit=1 << 20))
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
