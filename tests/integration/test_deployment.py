"""The documented transcripts, through deploy/envoy.yaml and all six examples."""

import hashlib
import json
import re

import pytest

from harness import http
from harness.envoy import envoy_in_front_of

CHAIN = ",".join(f"{name}ExtProcService" for name in ("Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx"))
STARTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ADDED_TO_RESPONSE = ("x-extra-request-id", "x-request-started", "x-duration-ns", "x-request-digest", "x-ext-procs-applied")
ADDED_TO_REQUEST = ("x-extra-request-id", "x-request-started", "x-request-digest", "x-context-id")
BODY = b'{"hello":"hi"}'
REQUESTS = [
    pytest.param("GET", {}, id="GET"),
    pytest.param("PUT", {"body": BODY, "headers": [("content-type", "application/json")]}, id="PUT"),
]


def digest(method: str, path: str, body: bytes = b"", tenant: str = "unknown") -> str:
    return hashlib.sha256(tenant.encode() + method.encode() + path.encode() + body).hexdigest()


@pytest.mark.parametrize(("method", "parts"), REQUESTS)
def test_through_all_processors(deployment, method, parts):
    response = http.request(deployment.port, method, "/something", **parts)

    assert response.status == 200
    seen = response.json()
    body = parts.get("body", b"")
    assert (seen["method"], seen["path"], seen["body"]) == (method.lower(), "/something", body.decode())
    assert seen["message"]
    upstream = seen["headers"]

    assert upstream["x-request-id"]
    assert upstream["x-extra-request-id"] == upstream["x-request-id"]
    assert response.get("x-extra-request-id") == upstream["x-request-id"]

    assert STARTED.fullmatch(upstream["x-request-started"])
    assert response.get("x-request-started") == upstream["x-request-started"]
    assert re.fullmatch(r"[1-9]\d*", response.get("x-duration-ns"))

    assert upstream["x-request-digest"] == digest(method, "/something", body)
    assert response.get("x-request-digest") == upstream["x-request-digest"]

    assert upstream["x-context-id"] == ""
    assert response.get("x-context-id") is None

    assert response.get("x-ext-procs-applied") == CHAIN
    assert response.get("content-type") == "application/json"


@pytest.mark.parametrize(("method", "parts"), REQUESTS)
def test_route_without_processors(deployment, method, parts):
    response = http.request(deployment.port, method, "/no-ext-procs/something", **parts)

    assert response.status == 200
    seen = response.json()
    assert (seen["method"], seen["path"]) == (method.lower(), "/no-ext-procs/something")
    assert seen["body"] == parts.get("body", b"").decode()
    for name in ADDED_TO_RESPONSE:
        assert response.get(name) is None
    for name in ADDED_TO_REQUEST:
        assert name not in seen["headers"]


def test_digest_of_a_tenant(deployment):
    response = http.request(deployment.port, "POST", "/a?b=c", headers=[("x-tenant-id", "bond")], body=b"data")
    assert response.json()["headers"]["x-request-digest"] == digest("POST", "/a?b=c", b"data", "bond")


@pytest.mark.parametrize("size", [0, 1, 64 << 10, 900 << 10])
def test_bodies_of_any_size(deployment, size):
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    response = http.request(deployment.port, "PUT", "/body", body=body)
    assert response.status == 200
    assert response.json()["body"] == body.decode()
    assert response.json()["headers"]["x-request-digest"] == digest("PUT", "/body", body)
    assert response.get("x-ext-procs-applied") == CHAIN


def test_body_over_the_buffer_is_refused_by_envoy(deployment):
    response = http.request(deployment.port, "PUT", "/body", body=b"x" * (3 << 20))
    assert response.status == 413


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("GET", b"body of a GET"), ("POST", b""), ("PUT", b"\x00\xff any bytes")]
)
def test_echo_only(deployment, method, body):
    headers = [("x-echo-only", "true"), ("x-mine", "one"), ("accept", "*/*")]
    response = http.request(deployment.port, method, "/echo", headers=headers, body=body)

    assert response.status == 200
    assert response.body == (body or b"")
    assert response.all("x-mine") == [b"one"]
    assert response.all("accept") == [b"*/*"]
    # Envoy sends its answer through the response phases of the other filters, the later ones first.
    others = [name for name in CHAIN.split(",") if name != "EchoExtProcService"]
    assert response.get("x-ext-procs-applied").split(",") == [*others, "EchoExtProcService"]
    assert response.get("x-request-digest") is None


@pytest.mark.parametrize("claimed", [None, "Claimed,ByTheClient"])
def test_echo_only_without_other_processors(launcher, deployment, echo_port, claimed):
    """The chain of an immediate response has its own name alone, whatever the client says."""
    headers = [("x-echo-only", "true"), *([("x-ext-procs-applied", claimed)] if claimed else [])]
    port = envoy_in_front_of(launcher, deployment.processors["Echo"].address, echo_port)
    response = http.request(port, "POST", "/echo", headers=headers, body=b"body")
    assert (response.status, response.body) == (200, b"body")
    assert response.get("x-ext-procs-applied") == "EchoExtProcService"


@pytest.mark.parametrize("value", ["false", "0", ""])
def test_echo_only_has_to_be_truthy(deployment, value):
    response = http.request(deployment.port, "GET", "/echo", headers=[("x-echo-only", value)])
    assert response.json()["path"] == "/echo"


def test_matching_context_id(deployment):
    response = http.request(deployment.port, "POST", "/ctx", headers=[("x-context-id", "id-1")], body=b"id-1")
    assert response.status == 200
    assert response.json()["headers"]["x-context-id"] == "id-1"
    assert response.get("x-context-id") == "id-1"


def test_mismatching_context_id_fails_open(deployment):
    response = http.request(deployment.port, "POST", "/ctx", headers=[("x-context-id", "id-1")], body=b"id-2")
    assert response.status == 200
    assert response.get("x-context-id") is None
    # It failed in request_body: its response phases never came.
    assert response.get("x-ext-procs-applied") == CHAIN.removesuffix(",CtxExtProcService")


@pytest.mark.parametrize("path", ["/redirect?location=%2Felsewhere"])
def test_redirect_of_the_echo_upstream(deployment, path):
    response = http.request(deployment.port, "GET", path)
    assert response.status == 308
    assert response.get("location") == "/elsewhere"


def test_answers_to_many_kinds_of_json(deployment):
    body = json.dumps({"text": "é漢🙂", "list": [1, None, True]}, ensure_ascii=False).encode()
    response = http.request(deployment.port, "PATCH", "/json", headers=[("content-type", "application/json")], body=body)
    assert response.json()["body"].encode() == body
