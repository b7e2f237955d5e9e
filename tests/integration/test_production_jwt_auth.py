"""JwtAuth of examples/production behind real Envoy, and inside it: tokens of PyJWT, keys that change, issuers that fail."""

import asyncio
import json
import time

import pytest
from grpc_health.v1 import health_pb2

from harness import http
from harness.envoy_config import json_access_log
from harness.grpc_client import channel, check_health
from harness.issuer import Issuer, bearer, settings
from harness.processes import eventually
from harness.production import INSIDE, WAYS, Production, lines_of

SHOWS_USER = ("x-reply-request-header", "x-user")


@pytest.fixture
def issuer():
    its = Issuer()
    yield its
    its.close()


def ask(production: Production, token: str | None = None, *headers: tuple[str, str], path: str = "/") -> http.Response:
    return production.request(path=path, headers=[*(bearer(token) if token else []), SHOWS_USER, *headers])


def protected(launcher, upstream: int, own: dict, **options) -> Production:
    """Once it has keys: inside Envoy requests fail before."""
    production = Production(launcher, {"JwtAuth": own}, upstream, **options)
    eventually(lambda: ask(production).status == 401, "it to be ready", 20)
    return production


@pytest.mark.parametrize("way", WAYS)
def test_claims_choose_the_route_and_are_logged(own_launcher, raw_port, issuer, tmp_path, way):
    """By a header, and by dynamic metadata."""
    told = {"user": "%DYNAMIC_METADATA(jwt_auth:x-user)%", "route": "%ROUTE_NAME%", "status": "%RESPONSE_CODE%"}
    plan = {"filter": "jwt_auth", "path": [{"key": "x-plan"}], "value": {"string_match": {"exact": "gold"}}}
    routes = (
        {"name": "gold", "match": {"prefix": "/", "dynamic_metadata": [plan]}, "route": {"cluster": "upstream"}},
        {
            "name": "bob",
            "match": {"prefix": "/", "headers": [{"name": "x-user", "string_match": {"exact": "bob"}}]},
            "route": {"cluster": "upstream"},
        },
    )
    log = tmp_path / "access.log"
    production = protected(own_launcher, raw_port, settings(issuer), way=way, routes=routes, access_log=json_access_log(log, told))
    alice = ask(production, issuer.token())
    assert (alice.status, alice.get("x-user")) == (200, "alice")
    assert ask(production, issuer.token(plan="gold"), ("x-user", "mallory")).get("x-user") == "alice"
    assert ask(production, issuer.token(sub="bob"), ("x-plan", "gold")).get("x-user") == "bob"
    refused = ask(production, None, ("x-user", "bob"))
    assert (refused.status, refused.get("www-authenticate")) == (401, 'Bearer realm="api"')
    expired = ask(production, issuer.token(exp=int(time.time()) - 3600))
    assert expired.status == 401
    assert expired.get("www-authenticate").startswith('Bearer realm="api", error="invalid_token", error_description="')
    expected = [("alice", "all", 200), ("alice", "gold", 200), ("bob", "bob", 200), (None, "bob", 401), (None, "all", 401)]

    def logged() -> list[tuple]:
        lines = [json.loads(line) for line in lines_of(log)]
        # A line is there some time after its response: those of the first question may come behind this one's.
        return [(line["user"], line["route"], line["status"]) for line in lines][-len(expected) :]

    eventually(lambda: logged() == expected, "its lines")
    assert issuer.fetches == 1


@pytest.mark.parametrize("way", WAYS)
def test_keys_are_rotated_under_load(own_launcher, raw_port, issuer, way):
    """Nobody with a token of a key that the issuer has is refused, and the issuer is asked for each new key, not for each
    request."""
    production = protected(own_launcher, raw_port, settings(issuer, renewal_pause=0), way=way)
    assert ask(production, issuer.token()).status == 200
    statuses: list[int] = []
    tokens = [issuer.token()]
    rotations = 5

    async def load(until: asyncio.Event) -> None:
        connection = await http.Connection.open(production.port)
        while not until.is_set():
            statuses.append((await connection.request("GET", "/", bearer(tokens[-1]))).status)
        connection.close()

    async def play() -> None:
        over = asyncio.Event()
        callers = [asyncio.create_task(load(over)) for _ in range(16)]
        for _ in range(rotations):
            await asyncio.sleep(0.2)
            issuer.rotate(keep=rotations)
            tokens.append(issuer.token())
        await asyncio.sleep(0.2)
        over.set()
        await asyncio.gather(*callers)

    asyncio.run(play())
    assert set(statuses) == {200} and len(statuses) > 100
    assert issuer.fetches <= 1 + 3 * rotations


def test_it_is_not_ready_before_it_has_keys(own_launcher, raw_port):
    issuer = Issuer()
    issuer.close()
    production = Production(own_launcher, {"JwtAuth": settings(issuer)}, raw_port)
    with channel(production.server_port) as to_server:
        assert check_health(to_server) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert ask(production, issuer.token()).status == 503
        issuer.open()
        eventually(lambda: check_health(to_server) == health_pb2.HealthCheckResponse.SERVING, "it to be ready", 20)
    fetches = issuer.fetches
    assert ask(production, issuer.token()).status == 200
    assert issuer.fetches == fetches
    issuer.close()
    production.server.process.signal(15)
    assert production.server.process.wait() == 0


def test_it_ends_though_the_issuer_was_never_there(own_launcher, raw_port):
    issuer = Issuer()
    issuer.delay = 30
    production = Production(own_launcher, {"JwtAuth": settings(issuer, wait=20)}, raw_port)
    eventually(lambda: issuer.fetches > 0, "it to ask")
    production.server.process.signal(15)
    assert production.server.process.wait() == 0
    issuer.close()


@pytest.mark.parametrize("way", WAYS)
def test_an_issuer_that_is_slow_or_down(own_launcher, raw_port, way):
    issuer = Issuer()
    own = settings(issuer, renewal_pause=0, wait=0.5, refresh=0.2)
    production = protected(own_launcher, raw_port, own, way=way)
    old = issuer.token()
    assert ask(production, old).status == 200
    issuer.delay = 5
    time.sleep(0.25)
    # Keys that are there are used, however old they are meanwhile, and nobody waits for them.
    for _ in range(3):
        assert ask(production, old).status == 200
    issuer.rotate()
    assert ask(production, issuer.token()).status == 401
    issuer.delay = 0
    issuer.broken = True
    assert ask(production, old).status == 200
    issuer.close()
    assert ask(production, old).status == 200
    assert ask(production, issuer.token()).status == 401
    issuer.broken = False
    issuer.open()
    new = issuer.token()
    eventually(lambda: ask(production, new).status == 200, "the new key to be found", 20)
    issuer.close()


@pytest.mark.parametrize("way", ("clear", INSIDE))
def test_keys_over_tls(own_launcher, raw_port, authority, way):
    pair = authority.server("DNS:localhost")
    issuer = Issuer(tls=(pair.certificate, pair.key))
    trusting = protected(own_launcher, raw_port, settings(issuer, ca_file=str(authority.certificate)), way=way)
    assert ask(trusting, issuer.token()).status == 200
    doubting = Production(own_launcher, {"JwtAuth": settings(issuer)}, raw_port, way=way)
    assert ask(doubting, issuer.token()).status == 503
    issuer.close()


def test_settings_are_checked(own_launcher, raw_port, issuer):
    with pytest.raises(AssertionError, match="audiences is missing"):
        Production(own_launcher, {"JwtAuth": {"jwks_url": issuer.url, "issuer": "x"}}, raw_port)
    with pytest.raises(AssertionError, match="needs jwks_url"):
        Production(own_launcher, {"JwtAuth": {}}, raw_port)
