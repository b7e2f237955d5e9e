"""The four processors of examples/production as one chain: in clear, over TLS, and inside Envoy."""

import asyncio
import json

import pytest

from harness import http
from harness.envoy_config import Cluster
from harness.issuer import Issuer, bearer, settings
from harness.models import ROUTE, Model, text_of, while_serving
from harness.processes import eventually, free_port
from harness.production import INSIDE, WAYS, Production, lines_of
from harness.redis import Redis

AI = {
    "models": [{"name": "small", "cluster": "cheap"}, {"name": "large", "cluster": "dear"}],
    "tenant_header": "x-user",
    "secrets": ["hunter2"],
}


class Chain:
    def __init__(self, launcher, way: str = "clear", **ai):
        self.redis, self.issuer = Redis(launcher), Issuer()
        self.models = {name: Model(name) for name in ("cheap", "dear")}
        self.log = launcher.folder / "calls.log"
        processors = {
            "CallLog": {"file": str(self.log)},
            "JwtAuth": settings(self.issuer),
            "Idempotency": {"redis": self.redis.url, "scope": ["x-user"]},
            "AiGateway": AI | ai,
        }
        clusters = tuple(Cluster(name, (model.port,), http2=False) for name, model in self.models.items())
        self.production = Production(launcher, processors, free_port(), way=way, routes=ROUTE, clusters=clusters)
        # Before it has the issuer's keys all is a 503.
        eventually(lambda: self.production.request("POST", "/", headers=bearer(self.issuer.token()), body=b"{}").status == 400, "keys")
        self.production.request(path="/ready")
        eventually(lambda: any('"/ready"' in line for line in lines_of(self.log)), "the line of the last request", 20)
        self.seen = len(lines_of(self.log))

    def play(self, steps):
        """`steps(self)`, while the models serve."""
        return asyncio.run(while_serving(self.models.values(), steps(self)))

    async def ask(self, body: dict, key: str | None = None, user: str = "alice", token: str | None = None) -> http.Response:
        headers = [("content-type", "application/json"), *bearer(token or self.issuer.token(sub=user))]
        if key:
            headers.append(("idempotency-key", key))
        encoded = json.dumps(body).encode()
        return await http.request_async(self.production.port, "POST", "/v1/chat?token=secret", headers=headers, body=encoded)

    def lines(self, count: int) -> list[dict]:
        """Of requests since it was ready: so many, or more."""
        eventually(lambda: len(lines_of(self.log)) >= self.seen + count, f"{count} lines", 20)
        return [json.loads(line) for line in lines_of(self.log)][self.seen :]


@pytest.fixture(params=WAYS)
def chain(request, own_launcher):
    chain = Chain(own_launcher, request.param)
    yield chain
    chain.issuer.close()


def test_a_request_goes_through_all_four(chain):
    async def steps(it: Chain):
        return await it.ask({"model": "small", "texts": ["it is hunt", "er2"]}), await it.ask({"texts": ["a"], "model": "large"})

    small, large = chain.play(steps)
    assert (small.status, small.get("x-model"), large.get("x-model")) == (200, "cheap", "dear")
    assert text_of(small.body) == "it is *******"
    first, second = chain.lines(2)
    assert (first["method"], first["path"], first["status"], first["user"]) == ("POST", "/v1/chat?token=***", 200, "alice")
    assert first["fields"] == {"model": "small", "tokens": 12}
    assert first["response_bytes"] == len(small.body)
    assert second["fields"]["model"] == "large"
    assert not {"aborted", "error", "cut"} & {*first, *second}


def test_whom_it_does_not_know_gets_to_nothing(chain):
    async def steps(it: Chain):
        return await it.ask({"model": "small", "texts": ["a"]}, key="one", token="none")

    refused = chain.play(steps)
    assert refused.status == 401
    assert refused.get("www-authenticate").startswith("Bearer")
    assert [line["status"] for line in chain.lines(1)] == [401]
    assert chain.models["cheap"].asked == 0
    assert chain.redis.ask("dbsize") == "0"


def test_what_is_sent_again_is_answered_as_the_first_time(chain):
    body = {"model": "small", "texts": ["it is hunter2"]}

    async def steps(it: Chain):
        first = await it.ask(body, "one")
        again = await it.ask(body, "one")
        other = await it.ask(body | {"model": "large"}, "one")
        another = await it.ask(body, "one", user="bob")
        return first, again, other, another

    first, again, other, another = chain.play(steps)
    assert (first.status, again.status, other.status, another.status) == (200, 200, 422, 200)
    assert text_of(first.body) == "it is *******"
    assert again.body == first.body
    assert again.get("idempotent-replayed") == "true"
    assert another.get("idempotent-replayed") is None
    assert chain.models["cheap"].asked == 2
    lines = chain.lines(4)
    assert [line["status"] for line in lines] == [200, 200, 422, 200]
    # It has cost nothing.
    assert ["fields" in line for line in lines] == [True, False, False, True]
    # What was kept has no secret either.
    assert all("hunter2" not in chain.redis.ask("get", key) for key in chain.redis.ask("keys", "*").split())


def test_a_redis_that_is_gone(chain):
    chain.redis.process.stop()

    async def steps(it: Chain):
        with_key = await it.ask({"model": "small", "texts": ["a"]}, "one")
        without = await it.ask({"model": "small", "texts": ["a"]})
        return with_key.status, without.status

    assert chain.play(steps) == (503, 200)


@pytest.mark.parametrize("way", ["clear", INSIDE])
def test_a_tenant_that_is_over_its_limit(own_launcher, way):
    chain = Chain(own_launcher, way, tokens_per_minute=20)

    async def steps(it: Chain):
        users = ["alice", "alice", "alice", "bob"]
        return [(await it.ask({"model": "small", "texts": []}, user=user)).status for user in users]

    assert chain.play(steps) == [200, 200, 429, 200]
    chain.issuer.close()
    assert [line["status"] for line in chain.lines(4)] == [200, 200, 429, 200]


def test_a_model_that_dies_midway(chain):
    async def steps(it: Chain):
        connection = await http.Connection.open(it.production.port)
        asked = json.dumps({"model": "small", "texts": ["a"], "waits": True, "dies": True}).encode()
        await connection.send("POST", "/", [*bearer(it.issuer.token()), ("idempotency-key", "one")], asked)
        assert (await connection.read_head()).status == 200
        await connection.read_chunk()
        it.models["cheap"].goes_on.set()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError, ValueError)):
            while True:
                await connection.read_chunk()

    chain.play(steps)
    (line,) = chain.lines(1)
    assert (line["status"], line["aborted"]) == (200, True)
