"""Context ids: a mismatch where the filter fails closed, and two thousand requests at once, none mixed up."""

import asyncio
import resource

import pytest

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, bootstrap
from harness.extproc import serve_examples
from harness.processes import free_port

CONCURRENT = 2_000
# Each request has a connection to Envoy, one to the upstream, and the client's end.
OPEN_FILES = 10_000


@pytest.fixture(scope="module")
def strict(launcher, echo_port):
    """All six examples behind filters that fail closed, with the limits for thousands of requests at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        pytest.skip(f"needs a hard limit of {OPEN_FILES} open files, which is {hard} here")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, OPEN_FILES), hard))
    processors = serve_examples(launcher)
    port, admin = free_port(), free_port()
    clusters = [Cluster(name, (processor.address,)) for name, processor in processors.items()]
    clusters.append(Cluster("upstream", (echo_port,), http2=False))
    listener = Listener("strict", port, tuple(Filter(name, message_timeout="10s") for name in processors))
    envoy = Envoy(launcher, bootstrap(admin, [listener], clusters), admin, open_files=OPEN_FILES)
    yield port, envoy
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def request_with(port: int, number: int) -> http.Response:
    identity = f"context-{number}"
    headers = [("x-context-id", identity)]
    path = f"/context/{number}"
    return await http.request_async(port, "POST", path, headers=headers, body=identity.encode(), timeout=60)


async def all_at_once(port: int) -> list[http.Response]:
    return await asyncio.gather(*(request_with(port, number) for number in range(CONCURRENT)))


@pytest.mark.parametrize("_turn", range(3))
def test_two_thousand_at_once_are_not_mixed_up(strict, _turn):
    port, envoy = strict
    responses = asyncio.run(all_at_once(port))
    for number, response in enumerate(responses):
        identity = f"context-{number}"
        assert response.status == 200
        assert response.get("x-context-id") == identity
        seen = response.json()
        assert seen["headers"]["x-context-id"] == identity
        assert (seen["path"], seen["body"]) == (f"/context/{number}", identity)
    assert envoy.ext_proc_failures() == {}
    # Envoy resets all that were answered at once: more than it lets wait on one connection would end that.
    floods = envoy.stats(r"^cluster\..*\.outbound_control_flood$")
    assert floods and not any(floods.values())


# Behind the other, whose counters it would spoil.
def test_mismatch_fails_closed(strict):
    port, _ = strict
    response = http.request(port, "POST", "/ctx", headers=[("x-context-id", "id-1")], body=b"id-2")
    assert response.status == 500
    assert response.get("x-context-id") is None
