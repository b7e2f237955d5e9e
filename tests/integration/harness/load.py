"""Requests through Envoy, one behind the other on each connection."""

import asyncio

from harness import http


class Load:
    """Requests without a break on a few connections, until it is stopped."""

    def __init__(self, port: int, connections: int):
        self.port = port
        self.statuses: list[int] = []
        self._stopped = False
        self._workers = [asyncio.create_task(self._work()) for _ in range(connections)]

    async def _work(self) -> None:
        connection = await http.Connection.open(self.port)
        while not self._stopped:
            response = await connection.request("POST", "/load", body=b"body")
            self.statuses.append(response.status)
        connection.close()

    async def reach(self, count: int) -> None:
        """Waits until that many more were answered."""
        target = len(self.statuses) + count
        async with asyncio.timeout(30):
            while len(self.statuses) < target:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._stopped = True
        await asyncio.gather(*self._workers)
