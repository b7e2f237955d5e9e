"""AiGateway of examples/production behind real Envoy, and inside it."""

import asyncio
import gzip
import json
import subprocess
import zlib

import pytest

from harness import http
from harness.envoy_config import Cluster, json_access_log
from harness.models import ROUTE, Model, text_of, while_serving
from harness.processes import Launcher, eventually, free_port
from harness.production import INSIDE, WAYS, Production, lines_of

SECRET = "hunter2"
SETTINGS = {
    "models": [{"name": "small", "cluster": "cheap"}, {"name": "large-*", "cluster": "dear"}],
    "secrets": [SECRET],
    "secret_patterns": ["sk-[a-z0-9]{8,}"],
}


class Gateway:
    def __init__(self, launcher, way: str = "clear", **settings):
        self.models = {name: Model(name) for name in ("cheap", "dear")}
        clusters = tuple(Cluster(name, (model.port,), http2=False) for name, model in self.models.items())
        self.log = launcher.folder / "access.log"
        logged = json_access_log(self.log, {"id": "%REQ(x-request-id)%", "tokens": "%DYNAMIC_METADATA(ai:tokens)%"})
        self.production = Production(
            launcher, {"AiGateway": SETTINGS | settings}, free_port(), way=way, routes=ROUTE, clusters=clusters, access_log=logged
        )
        self.port = self.production.port

    def play(self, steps):
        """`steps(self)`, while the models serve."""
        return asyncio.run(while_serving(self.models.values(), steps(self)))

    async def ask(self, body: dict | bytes | list[bytes], headers: http.Headers | None = None, tenant: str = "acme") -> http.Response:
        encoded = json.dumps(body).encode() if isinstance(body, dict) else body
        all_headers = [("content-type", "application/json"), ("x-tenant", tenant), *(headers or [])]
        return await http.request_async(self.port, "POST", "/v1/chat", headers=all_headers, body=encoded)

    def tokens(self, request_id: str) -> int | None:
        def find():
            return next((line for line in map(json.loads, lines_of(self.log)) if line["id"] == request_id), None)

        return eventually(find, f"{request_id} in the access log")["tokens"]


@pytest.fixture(scope="module", params=WAYS)
def gateway(request, tmp_path_factory):
    programs = Launcher(tmp_path_factory.mktemp(request.param))
    yield Gateway(programs, request.param)
    programs.stop_all()


def test_the_model_chooses_the_cluster(gateway):
    async def steps(it: Gateway):
        small = await it.ask({"model": "small", "texts": ["a"]})
        large = await it.ask({"texts": ["a"], "model": "large-2"}, [("x-ai-cluster", "cheap")])
        packed = await it.ask(gzip.compress(json.dumps({"model": "large-2", "texts": []}).encode()), [("content-encoding", "gzip")])
        return [answer.get("x-model") for answer in (small, large, packed)], text_of(small.body)

    assert gateway.play(steps) == (["cheap", "dear", "dear"], "a")


def test_a_model_at_the_end_of_a_large_body(gateway):
    """3 MB are more than Envoy holds; 5 MB more than the server does, unless it is told."""

    async def steps(it: Gateway):
        def body(size: int) -> list[bytes]:
            return [b'{"more":"', *[b"x" * 100_000] * (size // 100_000), b'","texts":["a"],"model":"large-1"}']

        large = await it.ask(body(3_000_000))
        too_large = await it.ask(body(5_000_000))
        return large.get("x-model"), int(large.get("x-bytes")), too_large.status

    model, size, status = gateway.play(steps)
    assert (model, status) == ("dear", 413)
    assert size > 3_000_000


def test_what_is_no_request_is_refused(gateway):
    async def steps(it: Gateway):
        bodies = [b"no json", b"{", b'{"model":"huge"}', b"\xff", b'{"model":null}']
        return [(await it.ask(body)).status for body in bodies]

    assert gateway.play(steps) == [400, 400, 404, 400, 400]


def test_a_bomb_in_a_request(gateway):
    async def steps(it: Gateway):
        bomb = gzip.compress(b'{"x":"' + bytes(b"x") * 50_000_000 + b'","model":"small"}')
        return (await it.ask(bomb, [("content-encoding", "gzip")])).status

    assert gateway.play(steps) == 400


def test_a_bomb_in_an_answer(gateway):
    async def steps(it: Gateway):
        try:
            answer = await it.ask({"model": "small", "encoding": "gzip", "bomb": 200_000_000})
            assert answer.status != 200, len(answer.body)
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # cut off
        return (await it.ask({"model": "small", "texts": ["still there"]})).status

    assert gateway.play(steps) == 200


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_usage_and_secrets(gateway, encoding):
    texts = ["my password is hun", "ter2, my key sk-12345", "678, caf\u00e9", " and hunt"]

    async def steps(it: Gateway):
        return await it.ask({"model": "small", "encoding": encoding, "texts": texts}, [("x-request-id", f"usage-{encoding}")])

    answer = gateway.play(steps)
    assert answer.get("content-encoding") == (encoding or None)
    body = {"": bytes, "gzip": gzip.decompress, "deflate": zlib.decompress}[encoding](answer.body)
    assert text_of(body) == "my password is *******, my key ***********, caf\u00e9 and hunt"
    assert body.endswith(b"data: [DONE]\n\n")
    assert gateway.tokens(f"usage-{encoding}") == 12


def test_usage_of_json(gateway):
    reply = {"choices": [{"message": {"content": "it is hunter2"}}], "usage": {"total_tokens": 42}}

    async def steps(it: Gateway):
        return await it.ask({"model": "small", "reply": reply}, [("x-request-id", "usage-json")])

    assert gateway.play(steps).json()["choices"][0]["message"]["content"] == "it is *******"
    assert gateway.tokens("usage-json") == 42


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_an_event_waits_for_none_behind_it(gateway, encoding):
    """The model sends the second only once the caller has the first."""

    async def steps(it: Gateway):
        model = it.models["cheap"]
        connection = await http.Connection.open(it.port)
        asked = json.dumps({"model": "small", "encoding": encoding, "waits": True, "texts": ["one hunt", "er"]}).encode()
        await connection.send("POST", "/v1/chat", [("content-type", "application/json")], asked)
        assert (await connection.read_head()).status == 200
        decoder = zlib.decompressobj(wbits=31)
        first = b""
        while not first.endswith(b"\n\n"):
            chunk = await connection.read_chunk()
            first += decoder.decompress(chunk) if encoding else chunk
        model.goes_on.set()
        connection.close()
        return text_of(first)

    assert gateway.play(steps) == "one "


def test_an_upstream_that_dies_midway_is_counted(own_launcher):
    gateway = Gateway(own_launcher, tokens_per_minute=50)

    async def steps(it: Gateway):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError, ValueError)):
            connection = await http.Connection.open(it.port)
            asked = json.dumps({"model": "small", "texts": ["x" * 1000], "waits": True, "dies": True}).encode()
            await connection.send("POST", "/v1/chat", [("x-tenant", "acme")], asked)
            assert (await connection.read_head()).status == 200
            await connection.read_chunk()
            it.models["cheap"].goes_on.set()
            while True:
                await connection.read_chunk()
        while (status := (await it.ask({"model": "small", "texts": []})).status) == 200:
            await asyncio.sleep(0.05)
        return status, (await it.ask({"model": "small", "texts": []}, tenant="other")).status

    assert gateway.play(steps) == (429, 200)


@pytest.mark.parametrize("way", ["clear", INSIDE])
def test_requests_of_a_tenant(own_launcher, way):
    gateway = Gateway(own_launcher, way, requests_per_minute=2)

    async def steps(it: Gateway):
        answers = [await it.ask({"model": "small", "texts": []}, tenant=tenant) for tenant in "aaab"]
        return [(answer.status, answer.get("retry-after")) for answer in answers]

    assert gateway.play(steps) == [(200, None), (200, None), (429, "30"), (200, None)]


def test_a_client_that_we_did_not_write(gateway):
    """curl, with every encoding that it has."""

    async def steps(it: Gateway):
        body = json.dumps({"model": "small", "encoding": "gzip", "texts": ["hunt", "er2"]})
        command = ["curl", "-sS", "--compressed", "-N", f"http://127.0.0.1:{it.port}/v1/chat", "-d", body]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        out, _ = await process.communicate()
        return text_of(out)

    assert gateway.play(steps) == "*******"
