"""AiGateway of examples/production behind Envoy, beside the same work on grpc-go and grpc.aio, and no processor: how long a caller
waits for the first byte of a streamed answer. What a gateway does is in bench/README.md."""

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml
from harness.command import config
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap, json_access_log
from harness.models import ROUTE, text_of
from harness.processes import eventually, free_port
from harness.production import lines_of
from harness.served_file import ServedFile

from lib import servers
from lib.errors import WrongAnswer
from lib.first_byte import Caller
from lib.meter import Window
from lib.plan import GATEWAY, GATEWAY_GO, GATEWAY_NONE, GATEWAY_PYTHON, order
from lib.session import Session
from lib.statistics import percentile

NAME = "gateway"
CASE = "tcp c1"
_PEERS = {"go": GATEWAY_GO, "python": GATEWAY_PYTHON}
_VARIANT = "gateway"
_SECRET = "hunter2"
_SETTINGS = {"models": [{"name": "small", "cluster": "cheap"}, {"name": "large", "cluster": "dear"}], "secrets": [_SECRET]}
_CLUSTERS = ("cheap", "dear")
# As clients of models send it: what was said so far, and then the model.
_ASKED = {"messages": [{"role": "user", "content": "What is the weather like? " * 40}] * 2, "stream": True, "model": "small"}
_WARM_UP = 50
_DUPLEX = Mode(request_body="FULL_DUPLEX_STREAMED", response_body="FULL_DUPLEX_STREAMED", request_trailer="SEND", response_trailer="SEND")


@dataclass(frozen=True)
class _Way:
    filter: dict | None = None
    cluster: Cluster | None = None
    pid: int | None = None


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    for target in ("extproc_command", "production"):
        servers.cmake_target(target, target)
    with ExitStack() as stack:
        ways = {GATEWAY_NONE: _Way(), GATEWAY: _ours(session, stack)}
        for name, way in _PEERS.items():
            if name in session.commands:
                ways[way] = _peer(session, stack, name)
        models = tuple(_model(session, stack, name) for name in _CLUSTERS)
        ports, log = {name: free_port() for name in ways}, session.launcher.folder / "gateway.log"
        envoy = _envoy(session, ways, ports, models, log)
        stack.callback(envoy.process.stop)
        for name in [name for name in ways if name != GATEWAY_NONE]:
            try:
                _check(name, ports[name], log)
            except WrongAnswer as wrong:
                del ways[name]
                session.exclude(f"{NAME}, {name}", str(wrong))
        _measure(session, {name: (ports[name], way.pid) for name, way in ways.items()}, envoy.process.pid)


def _ours(session: Session, stack: ExitStack) -> _Way:
    port = free_port()
    folder: Path = session.launcher.folder / f"gateway-{port}"
    folder.mkdir()
    entry = {"name": GATEWAY, "settings": _SETTINGS}
    served = ServedFile(session.launcher, folder, {"threads": 1, "listen": f"127.0.0.1:{port}", "services": [{"processors": [entry]}]})
    stack.callback(served.process.stop)
    served.process.wait_until_open(port)
    written = yaml.safe_load(config("-s", GATEWAY, "--format", "filter"))[0]
    return _Way(written, Cluster(written["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"], (port,)), served.process.pid)


def _peer(session: Session, stack: ExitStack, name: str) -> _Way:
    running = servers.start(session.launcher, name, session.commands[name], _VARIANT)
    stack.callback(running.stop)
    written = Filter(f"peer-{name}", _DUPLEX, extra={"metadata_options": {"receiving_namespaces": {"untyped": ["ai"]}}})
    return _Way(written.to_json(), Cluster(f"peer-{name}", (running.endpoint,)), running.pid)


def _model(session: Session, stack: ExitStack, name: str) -> Cluster:
    port = free_port()
    process = session.launcher.start(f"model-{name}", [sys.executable, Path(__file__).parents[1] / "model_upstream.py", port, name])
    stack.callback(process.stop)
    process.wait_until_open(port)
    return Cluster(name, (port,), http2=False)


def _envoy(session: Session, ways: dict[str, _Way], ports: dict[str, int], models: tuple[Cluster, ...], log: Path) -> Envoy:
    """A listener for each way. Without a processor all requests go to the model that the others choose."""
    logged = json_access_log(log, {"id": "%REQ(x-request-id)%", "tokens": "%DYNAMIC_METADATA(ai:tokens)%"})
    listeners = [
        Listener(f"gateway-{number}", ports[name], (), upstream=_CLUSTERS[0], access_log=logged,
                 before=(way.filter,) if way.filter else (), routes=ROUTE if way.filter else ())
        for number, (name, way) in enumerate(ways.items())
    ]  # fmt: skip
    clusters = [*models, *(way.cluster for way in ways.values() if way.cluster)]
    admin = free_port()
    envoy = Envoy(session.launcher, bootstrap(admin, listeners, clusters), admin, concurrency=1)
    for port in ports.values():
        envoy.process.wait_until_open(port)
    return envoy


def _check(name: str, port: int, log: Path) -> None:
    """It chooses the model, masks a secret, also one that two events have, and tells the tokens."""
    request_id = f"check-{name.replace(' ', '-')}"
    asked = {"texts": ["it is hunter2, ", "or hun", "ter2 or ", "hunt"], "stream": True, "model": "large"}
    with Caller(port) as caller:
        answer = caller.ask(json.dumps(asked).encode(), request_id)
    if b"x-model: dear" not in answer.head:
        raise WrongAnswer(f"{name} sent the request to another model: {answer.head.decode()}")
    text = text_of(_plain(answer.body))
    if text != "it is *******, or ******* or hunt":
        raise WrongAnswer(f"{name} made of the answer: {text}")

    def logged() -> dict | None:
        return next((line for line in map(json.loads, lines_of(log)) if line["id"] == request_id), None)

    tokens = eventually(logged, f"the access log of {name}")["tokens"]
    if tokens != 12:
        raise WrongAnswer(f"{name} counts {tokens} tokens, not 12")


def _plain(chunked: bytes) -> bytes:
    """The body of what came in chunks."""
    plain, rest = b"", chunked
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            return plain
        plain, rest = plain + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def _measure(session: Session, ways: dict[str, tuple[int, int | None]], envoy: int) -> None:
    asked = json.dumps(_ASKED).encode()
    for port, _ in ways.values():
        _run(port, asked, _WARM_UP)
    for turn in session.rounds(session.scale.gateway_rounds, f"{NAME}, {CASE}"):
        found = {}
        for name in order(turn, list(ways)):
            port, pid = ways[name]
            with Window(envoy) as on_envoy, Window(pid or envoy) as window:
                found[name] = _run(port, asked, session.scale.gateway_requests)
            found[name]["envoy_cpu_us"] = on_envoy.cpu / session.scale.gateway_requests * 1e6
            found[name]["cpu_us"] = window.cpu / session.scale.gateway_requests * 1e6 if pid else 0.0
        for name, values in found.items():
            added = {f"added_{part}": values[part] - found[GATEWAY_NONE][part] for part in ("first_p50_us", "first_p99_us", "whole_p50_us")}
            session.add(NAME, CASE, name, turn, **values, **added)


def _run(port: int, asked: bytes, count: int) -> dict[str, float]:
    with Caller(port) as caller:
        answers = [caller.ask(asked) for _ in range(count)]
    first = [answer.first_us for answer in answers]
    return {
        "first_p50_us": percentile(first, 0.5),
        "first_p99_us": percentile(first, 0.99),
        "whole_p50_us": percentile([answer.whole_us for answer in answers], 0.5),
    }
