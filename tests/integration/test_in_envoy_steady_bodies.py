"""Bodies that never pause, through processors inside Envoy that answer their chunks more slowly than these come."""

import asyncio

import pytest

from harness.envoy_config import Listener, Mode
from harness.http import Connection
from harness.inside import Inside, envoy_with
from harness.processes import free_port

STREAMED = Mode(request_body="STREAMED", response_body="STREAMED")
PROCESSORS = {
    "coroutines": ("AsyncScripted",),
    "blocking": ("BlockingScripted",),
    "chain": ("Scripted", "AsyncScripted"),
}
SLOW = {
    "request": ["request_body sleep 20"],
    "response": ["response_body sleep 20"],
    "both": ["request_body sleep 20", "response_body sleep 20"],
    "headers": ["request_headers sleep 30", "request_body sleep 20", "response_headers sleep 30", "response_body sleep 20"],
}
BETWEEN_CHUNKS = 0.004
MOST_CHUNKS = 1_000


@pytest.fixture(scope="module")
def ports(launcher, streaming_port) -> dict[str, int]:
    ports = {name: free_port() for name in PROCESSORS}
    filters = {name: Inside(tuple(f"test_processors.{each}" for each in names), STREAMED) for name, names in PROCESSORS.items()}
    envoy_with(launcher, [Listener(name, port, (filters[name],)) for name, port in ports.items()], streaming_port)
    return ports


async def echo(port: int, do: list[str]) -> tuple[int, bytes, bytes]:
    """Sends until something comes back, and a few chunks more: how many that took, what was sent, what came."""
    connection = await Connection.open(port)
    await connection.open_chunked("POST", "/echo", [("x-do", action) for action in do])

    async def read() -> bytes:
        await connection.read_head()
        return await connection.read_chunk()

    reading = asyncio.create_task(read())
    sent = []
    while not reading.done() and len(sent) < MOST_CHUNKS:
        sent.append(b"%06d" % len(sent))
        await connection.write_chunk(sent[-1])
        await asyncio.sleep(BETWEEN_CHUNKS)
    taken = len(sent)
    for _ in range(10):
        sent.append(b"%06d" % len(sent))
        await connection.write_chunk(sent[-1])
    await connection.end_chunked()
    came = [await asyncio.wait_for(reading, 20)]
    while came[-1]:
        came.append(await asyncio.wait_for(connection.read_chunk(), 20))
    connection.close()
    return taken, b"".join(sent), b"".join(came)


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize("processors", PROCESSORS)
def test_what_is_answered_does_not_wait_for_a_pause(ports, processors, slow):
    taken, sent, came = asyncio.run(echo(ports[processors], SLOW[slow]))
    assert taken < MOST_CHUNKS, "nothing came before the end"
    assert came == sent
