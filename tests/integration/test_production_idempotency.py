"""Idempotency of examples/production behind real Envoy, and inside it, with a real Redis that comes and goes."""

import asyncio
import signal
import time

import pytest

from harness import http
from harness.issuer import Issuer, bearer, settings
from harness.processes import eventually, free_port
from harness.production import WAYS, Production
from harness.redis import Redis

# What belongs to one moment, or to one way of sending.
OF_THE_MOMENT = {"date", "server", "content-length", "transfer-encoding", "connection", "idempotent-replayed"}
OF_THE_MOMENT |= {"x-envoy-upstream-service-time"}


@pytest.fixture
def redis(own_launcher) -> Redis:
    return Redis(own_launcher)


class Upstream:
    """Counts what it is asked, and answers when it is told to, in pieces."""

    def __init__(self):
        self.port = free_port()
        self.asked: list[bytes] = []
        self.answer = asyncio.Event()
        self.answer.set()
        self.dies: asyncio.Event | None = None
        """It does in the middle of an answer, once this is set."""

    async def __aenter__(self) -> "Upstream":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *exception) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
                self.asked.append(await reader.readexactly(length))
                await self.answer.wait()
                number = len(self.asked)
                writer.write(b"HTTP/1.1 201 Created\r\ncontent-type: application/x-thing\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n")
                writer.write(b"location: /things/%d\r\ntransfer-encoding: chunked\r\n\r\n" % number)
                writer.write(b"4\r\nmade\r\n")
                await writer.drain()
                if self.dies:
                    await self.dies.wait()
                    writer.close()
                    return
                await asyncio.sleep(0.01)
                writer.write(b"3\r\n \x00\xff\r\n0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def told(response: http.Response) -> tuple:
    """All of it that counts."""
    return response.status, sorted(header for header in response.headers if header[0] not in OF_THE_MOMENT), response.body


async def post(production: Production, key: str | None, body: bytes | list[bytes] = b"thing", path: str = "/things", **parts) -> http.Response:
    headers = [("idempotency-key", key)] if key else []
    return await http.request_async(production.port, "POST", path, headers=headers, body=body, **parts)


async def replayed(production: Production, key: str) -> None:
    """Each of the server's threads finds a Redis again in its own time."""
    end = time.monotonic() + 20
    while (await post(production, key)).get("idempotent-replayed") != "true":
        assert time.monotonic() < end, f"{key} is not stored"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_sent_again_is_answered_as_the_first_time(own_launcher, redis, way):
    upstream = Upstream()
    production = Production(own_launcher, {"Idempotency": {"redis": redis.url}}, upstream.port, way=way)

    async def play() -> None:
        async with upstream:
            first = await post(production, "one")
            second = await post(production, "one")
            assert told(first) == told(second)
            assert (first.status, first.body) == (201, b"made \x00\xff")
            assert (first.get("idempotent-replayed"), second.get("idempotent-replayed")) == (None, "true")
            in_chunks = await post(production, "one", [b"th", b"ing"])
            assert told(in_chunks) == told(first), "the same in other pieces"
            assert (await post(production, "one", b"other")).status == 422
            assert (await post(production, "one", path="/others")).status == 422
            assert (await post(production, "two")).get("location") == "/things/2"
            for count in (3, 4):
                assert (await post(production, None)).get("location") == f"/things/{count}"
            assert upstream.asked == [b"thing"] * 4

    asyncio.run(play())


@pytest.mark.parametrize("store", ["memory", "redis"])
def test_one_of_many_at_once_is_done(own_launcher, redis, store):
    upstream = Upstream()
    own = {"redis": redis.url} if store == "redis" else {}
    production = Production(own_launcher, {"Idempotency": own}, upstream.port)

    async def play() -> None:
        async with upstream:
            upstream.answer.clear()
            callers = [asyncio.create_task(post(production, "one")) for _ in range(20)]
            done, _ = await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 19:
                done, _ = await asyncio.wait(callers, timeout=0.05)
            assert [(caller.result().status, caller.result().get("retry-after")) for caller in done] == [(409, "1")] * 19
            upstream.answer.set()
            assert sorted([(await caller).status for caller in callers]) == [201] + [409] * 19
            assert (await post(production, "one")).get("location") == "/things/1"
            assert len(upstream.asked) == 1

    asyncio.run(play())


def test_two_servers_share_a_redis(own_launcher, redis):
    upstream = Upstream()
    one, other = (Production(own_launcher, {"Idempotency": {"redis": redis.url}}, upstream.port) for _ in range(2))

    async def play() -> None:
        async with upstream:
            assert told(await post(one, "one")) == told(await post(other, "one"))
            assert len(upstream.asked) == 1

    asyncio.run(play())


@pytest.mark.parametrize("way", WAYS)
def test_behind_jwt_auth_each_caller_has_keys_of_its_own(own_launcher, redis, way):
    upstream, issuer = Upstream(), Issuer()
    processors = {"JwtAuth": settings(issuer), "Idempotency": {"redis": redis.url, "scope": ["x-user"]}}
    production = Production(own_launcher, processors, upstream.port, way=way)

    async def ask(sub: str, *headers: tuple[str, str]) -> http.Response:
        everything = [("idempotency-key", "one"), *bearer(issuer.token(sub=sub)), *headers]
        return await http.request_async(production.port, "POST", "/things", headers=everything, body=b"thing")

    async def play() -> None:
        async with upstream:
            end = time.monotonic() + 20
            while (await post(production, "one")).status != 401:
                assert time.monotonic() < end, "it is not ready"
            first = await ask("alice")
            assert first.status == 201
            assert told(await ask("alice")) == told(first)
            assert (await ask("bob", ("x-user", "alice"))).get("location") == "/things/2"
            assert len(upstream.asked) == 2

    asyncio.run(play())
    issuer.close()


def test_an_upstream_that_dies_midway(own_launcher, redis):
    """Nobody knows what it has done: the key stays taken for a while."""

    upstream = Upstream()
    production = Production(own_launcher, {"Idempotency": {"redis": redis.url}}, upstream.port)

    async def play() -> None:
        async with upstream:
            upstream.dies = asyncio.Event()
            connection = await http.Connection.open(production.port)
            await connection.send("POST", "/things", [("idempotency-key", "one")], b"thing")
            assert (await connection.read_head()).status == 201
            upstream.dies.set()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError, ValueError)):
                while await connection.read_chunk():
                    pass
            upstream.dies = None
            assert (await post(production, "one")).status == 409
            (taken,) = redis.ask("--raw", "KEYS", "*").splitlines()
            assert 0 < int(redis.ask("TTL", taken)) <= 60
            redis.ask("DEL", taken)
            assert (await post(production, "one")).get("location") == "/things/2"

    asyncio.run(play())


def test_no_upstream_is_no_answer_to_keep(own_launcher, redis):
    production = Production(own_launcher, {"Idempotency": {"redis": redis.url}}, free_port())
    for _ in range(2):
        response = asyncio.run(post(production, "one"))
        assert (response.status, response.get("idempotent-replayed")) == (503, None)


@pytest.mark.parametrize("refuses", [True, False])
def test_a_redis_that_goes_while_requests_are_under_way(own_launcher, redis, refuses):
    upstream = Upstream()
    own = {"redis": redis.url, "refuse_without_store": refuses, "wait": 0.2}
    production = Production(own_launcher, {"Idempotency": own}, upstream.port)

    async def play() -> None:
        async with upstream:
            upstream.answer.clear()
            waiting = asyncio.create_task(post(production, "one"))
            while not upstream.asked:
                await asyncio.sleep(0.01)
            redis.process.signal(signal.SIGKILL)
            redis.process.wait()
            upstream.answer.set()
            # It has been done, so that the caller is told.
            assert (await waiting).status == 201
            without = await post(production, "two")
            assert without.status == (503 if refuses else 201)
            assert len(upstream.asked) == (1 if refuses else 2)
            redis.start()
            await replayed(production, "three")

    asyncio.run(play())


def test_a_redis_that_stands_still(own_launcher, redis):
    upstream = Upstream()
    production = Production(own_launcher, {"Idempotency": {"redis": redis.url, "wait": 0.2}}, upstream.port)

    async def play() -> None:
        async with upstream:
            assert (await post(production, "one")).status == 201
            redis.process.signal(signal.SIGSTOP)
            assert (await post(production, "two")).status == 503
            redis.process.signal(signal.SIGCONT)
            await replayed(production, "two")
            await replayed(production, "one")

    asyncio.run(play())


def test_what_is_stored_ends(own_launcher, redis):
    upstream = Upstream()
    production = Production(own_launcher, {"Idempotency": {"redis": redis.url, "keep": 3600}}, upstream.port)

    async def play() -> None:
        async with upstream:
            await post(production, "a key that stands in no store as it is")
            (stored,) = redis.ask("--raw", "KEYS", "*").splitlines()
            assert stored.startswith("idempotency:") and "stands" not in stored
            assert 3500 < int(redis.ask("TTL", stored)) <= 3600

    asyncio.run(play())
    eventually(lambda: redis.ask("DBSIZE") == "1", "it to be there")
