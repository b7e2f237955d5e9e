"""Processors inside Envoy: configurations that are taken or refused, routes, what Envoy shows of them."""

import json
import re
import subprocess

import pytest

from harness import http, paths
from harness.envoy_config import Cluster, Listener, Mode, bootstrap
from harness.inside import Inside, envoy_with, environment, on_route
from harness.processes import eventually, free_port

TRIVIAL = "examples.TrivialExtProcService"


def _route(path: str, config: dict) -> dict:
    return {"match": {"prefix": path}, "route": {"cluster": "upstream"}, "typed_per_filter_config": on_route(config)}


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in ("struct", "text", "yaml", "chain", "own", "linked")}


@pytest.fixture(scope="module")
def envoy(launcher, echo_port, ports):
    routes = (
        _route("/off", {"disabled": True}),
        _route("/other", {"processors": [{"name": "examples.DecoratedExtProcService"}]}),
    )
    filters = {
        "struct": Inside((TRIVIAL,)),
        "text": Inside((), text=json.dumps({"processors": [{"name": TRIVIAL}], "reveal_chain": False})),
        "yaml": Inside((), text=f"# a comment\nprocessors:\n  - name: {TRIVIAL}\nreveal_chain: false\n"),
        "chain": Inside((TRIVIAL, "examples.TimerExtProcService"), extra={"applied_header": "X-Chain"}),
        "own": Inside((), extra={"processors": [{"name": "labels.Label", "settings": {"header": "x-l", "value": "inside"}}]}),
    }
    listeners = [Listener(name, ports[name], (each,), routes=routes if name == "struct" else ()) for name, each in filters.items()]
    listeners.append(Listener("linked", ports["linked"], (Inside(("Starter",), module="linked_processors"),)))
    return envoy_with(launcher, listeners, echo_port, level="info")


def test_headers_of_an_example(envoy, ports):
    response = http.request(ports["struct"], "GET", "/a?b=c", headers=[("x-request-id", "17")])
    assert response.status == 200
    assert response.get("x-extra-request-id") == "17"
    assert response.get("x-ext-procs-applied") == "TrivialExtProcService"
    assert response.json()["headers"]["x-extra-request-id"] == "17"


@pytest.mark.parametrize("language", ["text", "yaml"])
def test_a_configuration_in_a_text(envoy, ports, language):
    response = http.request(ports[language], "GET", "/", headers=[("x-request-id", "18")])
    assert response.get("x-extra-request-id") == "18"
    assert response.get("x-ext-procs-applied") is None


def test_a_chain(envoy, ports):
    response = http.request(ports["chain"], "GET", "/", headers=[("x-request-id", "19")])
    assert response.get("x-chain") == "TrivialExtProcService,TimerExtProcService"


def test_own_settings(envoy, ports):
    assert http.request(ports["own"], "GET", "/").json()["headers"]["x-l"] == "inside"


def test_processors_and_filter_in_one_file(envoy, ports):
    assert http.request(ports["linked"], "GET", "/").get("x-ext-procs-applied") == "Starter"
    needed = subprocess.run(["readelf", "-d", paths.built("liblinked_processors.so")], capture_output=True, text=True, check=True).stdout
    libraries = set(re.findall(r"NEEDED.*\[(.*?)\]", needed))
    assert libraries <= {"libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2"}, libraries


def test_routes(envoy, ports):
    off = http.request(ports["struct"], "GET", "/off")
    assert (off.status, off.get("x-ext-procs-applied")) == (200, None)
    assert http.request(ports["struct"], "GET", "/other").get("x-ext-procs-applied") == "DecoratedExtProcService"


def test_statistics_are_envoys_own(envoy, ports):
    def started() -> int:
        return sum(value for name, value in envoy.stats(r"extproc\.streams_started$").items())

    before = started()
    for _ in range(5):
        http.request(ports["text"], "GET", "/")
    eventually(lambda: started() == before + 5, "five more requests in Envoy's statistics")
    open_now = envoy.stats(r"extproc\.streams_open$")
    assert open_now
    eventually(lambda: not any(envoy.stats(r"extproc\.streams_open$").values()), "no request to be open")


def test_the_log_is_envoys_own(envoy):
    assert re.search(r"\[info\]\[dynamic_modules\].*runs TrivialExtProcService", envoy.process.log())


def _validate(tmp_path, inside: Inside) -> tuple[int, str]:
    cluster = Cluster("upstream", (1,), http2=False)
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(bootstrap(1, [Listener("http", 1, (inside,))], [cluster])))
    command = [paths.envoy(), "-c", file, "--mode", "validate", "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin", **environment()}, check=False)
    return done.returncode, done.stdout + done.stderr


def test_validate_takes_a_right_one(tmp_path):
    assert _validate(tmp_path, Inside((TRIVIAL,), Mode(response_body="STREAMED")))[0] == 0


REFUSED = {
    "no processor": (Inside(()), "names no processor"),
    "unknown": (Inside(("examples.Nobody",)), "exports no Nobody; it exports: "),
    "no module": (Inside(("absent.Nobody",)), "there is no module absent"),
    "key": (Inside((TRIVIAL,), extra={"failure_mode_alow": True}), 'did you mean "failure_mode_allow"?'),
    "duplex": (Inside((TRIVIAL,), Mode(request_body="FULL_DUPLEX_STREAMED")), "use STREAMED"),
    "json": (Inside((), text="{"), "it is no JSON"),
    "yaml": (Inside((), text="a: ["), "it is no YAML"),
    "settings": (Inside((), extra={"processors": [{"name": TRIVIAL, "settings": {"a": 1}}]}), "takes no settings of its own"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_validate_refuses_a_wrong_one_with_its_reason(tmp_path, name):
    inside, reason = REFUSED[name]
    code, log = _validate(tmp_path, inside)
    assert code != 0
    assert f"extproc: {reason}" in log or re.search(rf"extproc: .*{re.escape(reason)}", log), log[-2000:]


def test_only_what_it_needs_is_linked():
    needed = subprocess.run(["readelf", "-d", paths.built("libextproc_envoy.so")], capture_output=True, text=True, check=True).stdout
    libraries = set(re.findall(r"NEEDED.*\[(.*?)\]", needed))
    assert libraries <= {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2"}, libraries
    symbols = subprocess.run(["nm", "-DC", paths.built("libextproc_envoy.so")], capture_output=True, text=True, check=True).stdout
    assert "nghttp2" not in symbols
    assert "extproc::Server::" not in symbols
    assert not re.findall(r" U extproc::", symbols)
    assert "yaml_" not in symbols
