"""The same processor inside Envoy and behind ext_proc, beside no filter and Envoy's own Lua filter: one, six, and one that puts
another body in the request's place."""

from dataclasses import dataclass

from harness import inside as in_envoy
from harness.envoy_config import Mode
from harness.processes import Process

from lib import loads, servers
from lib.envoy import BASELINE, BenchEnvoy, Route
from lib.measure.envoy import warm_up
from lib.meter import Window
from lib.plan import INSIDE, INSIDE_EXT_PROC, INSIDE_LUA, INSIDE_NONE, WRK_CONNECTIONS, order
from lib.session import Session

NAME = "inside"
_BODY_BYTES = 1000
_SIX = 6
_REQUESTS_OF_A_TURN = 30


@dataclass(frozen=True)
class Case:
    name: str
    processor: str
    mode: Mode
    lua: str
    count: int = 1
    body_bytes: int = 0


_HEADERS = Mode(response_header="SEND", request_body="NONE", response_body="NONE")
_TRIVIAL_LUA = """
function envoy_on_request(handle)
  local id = handle:headers():get("x-request-id")
  handle:headers():replace("x-extra-request-id", id)
  handle:streamInfo():dynamicMetadata():set("bench", "id", id)
end
function envoy_on_response(handle)
  handle:headers():replace("x-extra-request-id", handle:streamInfo():dynamicMetadata():get("bench")["id"])
end
"""
_BODY_LUA = """
local other = string.rep("b", 1000)
function envoy_on_request(handle)
  handle:body():setBytes(other)
end
"""
CASES = (
    Case("one", "examples.TrivialExtProcService", _HEADERS, _TRIVIAL_LUA),
    Case("six", "examples.TrivialExtProcService", _HEADERS, _TRIVIAL_LUA, count=_SIX),
    Case(
        "a replaced body",
        "bench_processors.OtherBody",
        Mode(response_header="SKIP", request_body="BUFFERED", response_body="NONE"),
        _BODY_LUA,
        body_bytes=_BODY_BYTES,
    ),
)


@dataclass(frozen=True)
class _Lua:
    name: str
    code: str

    def to_json(self) -> dict:
        kind = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
        return {"name": self.name, "typed_config": {"@type": kind, "default_source_code": {"inline_string": self.code}}}


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    build()
    for case in CASES:
        _measure(session, case)


def build() -> None:
    for target in ("extproc_command", "extproc_envoy_filter", "examples", "bench_processors", "bench_turns"):
        servers.cmake_target(target, target)


def start(session: Session, case: Case, tool: tuple = ()) -> tuple[BenchEnvoy, Process]:
    """An Envoy with a listener for each way, run by `tool`, and the server behind ext_proc."""
    address = servers.new_address(session.launcher, "inside", unix=False)
    command = [servers.PROGRAMS / "extproc", "serve", "-s", case.processor, "--module-path", servers.PROGRAMS, "--threads", 1]
    server = session.launcher.start("extproc-serve", [*command, "--listen", address])
    port = int(address.rpartition(":")[2])
    server.wait_until_open(port)
    routes = {
        INSIDE: Route((), filters=tuple(in_envoy.Inside((case.processor,), case.mode, name=f"inside-{i}") for i in range(case.count))),
        INSIDE_EXT_PROC: Route((port,) * case.count, case.mode),
        INSIDE_LUA: Route((), filters=tuple(_Lua(f"lua-{i}", case.lua) for i in range(case.count))),
    }
    return BenchEnvoy(session.launcher, routes, env=in_envoy.environment(), tool=tool), server


def ports_of(envoy: BenchEnvoy) -> dict[str, int]:
    return {INSIDE_NONE: envoy.ports[BASELINE], **{name: envoy.ports[name] for name in (INSIDE, INSIDE_EXT_PROC, INSIDE_LUA)}}


def _measure(session: Session, case: Case) -> None:
    envoy, server = start(session, case)
    try:
        warm_up(session, envoy)
        for connections in WRK_CONNECTIONS:
            run = _in_turns if connections == 1 else _one_by_one
            name = f"{case.name}, c{connections}"
            for turn in session.rounds(session.scale.inside_rounds, f"{NAME}, {name}"):
                _add(session, name, turn, run(session, case, envoy, server.pid, connections, turn))
    finally:
        envoy.stop()
        server.stop()


@dataclass(frozen=True)
class _Run:
    done: loads.Done
    envoy_cpu: float
    """Microseconds a request, as the next."""
    cpu: float = 0.0
    """Of the server."""


def _in_turns(session: Session, case: Case, envoy: BenchEnvoy, server: int, connections: int, turn: int) -> dict[str, _Run]:
    """What one connection adds is less than what the machine's own moods do within a second: the ways take turns of some requests."""
    ports = ports_of(envoy)
    with Window(server) as window:
        turns = loads.turns(list(ports.values()), envoy.pid, session.scale.inside_turns, _REQUESTS_OF_A_TURN, case.body_bytes)
    runs = {way: _Run(done, cpu / done.count * 1e6) for way, (done, cpu) in zip(ports, turns, strict=True)}
    of_server = runs[INSIDE_EXT_PROC]
    return runs | {INSIDE_EXT_PROC: _Run(of_server.done, of_server.envoy_cpu, window.cpu / of_server.done.count * 1e6)}


def _one_by_one(session: Session, case: Case, envoy: BenchEnvoy, server: int, connections: int, turn: int) -> dict[str, _Run]:
    ports = ports_of(envoy)
    runs = {}
    for way in order(turn, list(ports)):
        with Window(envoy.pid) as on_envoy, Window(server) as window:
            done = loads.wrk(ports[way], connections, session.scale.envoy_seconds, case.body_bytes)
        cpu = window.cpu / done.count * 1e6 if way == INSIDE_EXT_PROC else 0.0
        runs[way] = _Run(done, on_envoy.cpu / done.count * 1e6, cpu)
    return runs


def _add(session: Session, name: str, turn: int, runs: dict[str, _Run]) -> None:
    """In each round every way has its turn, none among them; what one adds is told against that round's."""
    none = runs[INSIDE_NONE]
    for way, run in runs.items():
        done = run.done
        session.add(
            NAME, name, way, turn, p50_us=done.latency.p50, p99_us=done.latency.p99, requests_per_s=done.rate,
            envoy_cpu_us_per_request=run.envoy_cpu, cpu_us_per_request=run.cpu,
            added_p50_us=done.latency.p50 - none.done.latency.p50, added_p99_us=done.latency.p99 - none.done.latency.p99,
            added_envoy_cpu_us=run.envoy_cpu - none.envoy_cpu,
        )  # fmt: skip
