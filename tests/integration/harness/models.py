"""Upstreams that answer as language models do."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Coroutine, Iterable

from harness.processes import free_port

ROUTE = ({"match": {"prefix": "/"}, "route": {"cluster_header": "x-ai-cluster", "timeout": "0s"}},)
"""To the cluster that AiGateway names."""
USAGE = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}


def delta(text: str) -> dict:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def event(data: dict | str) -> bytes:
    return b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n"


class Model:
    """What a request is answered with by its body: `reply` (JSON), or events for `texts`; then `usage`, or an end that is none."""

    def __init__(self, name: str):
        self.name, self.port = name, free_port()
        self.asked = 0
        self.goes_on: asyncio.Event

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 24)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked += 1
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await self._answer(await self._body(reader, head), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    @staticmethod
    async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
        if b"transfer-encoding: chunked" not in head:
            length = next((line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length")), b"0")
            return await reader.readexactly(int(length))
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    async def _answer(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        coder = {"gzip": zlib.compressobj(wbits=31), "deflate": zlib.compressobj()}.get(asked.get("encoding", ""))
        kind = "application/json" if "reply" in asked else "text/event-stream"
        head = f"HTTP/1.1 200 OK\r\nx-model: {self.name}\r\nx-bytes: {len(body)}\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
        writer.write((head + (f"content-encoding: {asked['encoding']}\r\n" if coder else "") + "\r\n").encode())

        async def send(data: bytes) -> None:
            if coder:
                data = coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH)
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()

        if "bomb" in asked:
            bomb = gzip.compress(bytes(asked["bomb"]))
            writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb))
            return
        if "reply" in asked:
            await send(json.dumps(asked["reply"]).encode())
        for text in asked.get("texts", []):
            await send(event(delta(text)))
            if asked.get("waits"):
                await self.goes_on.wait()
        if asked.get("dies"):
            writer.transport.abort()
            return
        if "reply" not in asked:
            await send(event(USAGE) + event("[DONE]"))
        if coder:
            last = coder.flush()
            writer.write(b"%x\r\n%b\r\n" % (len(last), last))
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def text_of(body: bytes) -> str:
    """What a client makes of it."""
    datas = [line[6:] for line in body.decode().split("\n\n") if line and line != "data: [DONE]"]
    return "".join(choice["delta"].get("content", "") for data in datas for choice in json.loads(data)["choices"])


async def while_serving(models: Iterable[Model], steps: Coroutine):
    """What the steps come to, which the models answer meanwhile."""
    models = list(models)
    for model in models:
        model.goes_on = asyncio.Event()
    servers = [await model.serve() for model in models]
    try:
        async with asyncio.timeout(60):
            return await steps
    finally:
        for server in servers:
            server.close()
