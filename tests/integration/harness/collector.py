"""A TCP proxy that collects what a client sends for a moment and hands it on in one piece."""

import asyncio
import threading
from contextlib import contextmanager

MOMENT = 0.015
CHUNK = 1 << 20


async def _collect(reader: asyncio.StreamReader) -> bytes:
    """What comes until nothing has come for a moment; empty at the end."""
    collected = await reader.read(CHUNK)
    while collected:
        try:
            more = await asyncio.wait_for(reader.read(CHUNK), MOMENT)
        except TimeoutError:
            break
        if not more:
            break
        collected += more
    return collected


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take) -> None:
    try:
        while data := await take(reader):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _serve(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(
        _hand_on(reader, server_writer, _collect), _hand_on(server_reader, writer, lambda source: source.read(CHUNK))
    )


@contextmanager
def collector(port: int):
    """The port of a proxy to `port`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        start = asyncio.start_server(lambda *streams: _serve(port, *streams), "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(start, loop).result()
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
