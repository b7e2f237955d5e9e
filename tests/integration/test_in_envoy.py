"""Processors inside Envoy: headers, and configurations that are taken or refused."""

import pytest

from harness import http
from harness.envoy_config import Listener
from harness.inside import Inside, envoy_with
from harness.processes import free_port


@pytest.fixture(scope="module")
def trivial(launcher, echo_port):
    port = free_port()
    envoy_with(launcher, [Listener("http", port, (Inside(("examples.TrivialExtProcService",)),))], echo_port)
    return port


def test_headers_of_an_example(trivial):
    response = http.request(trivial, "GET", "/a?b=c", headers=[("x-request-id", "17")])
    assert response.status == 200
    assert response.get("x-extra-request-id") == "17"
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService"
    assert response.json()["headers"]["x-extra-request-id"] == "17"
