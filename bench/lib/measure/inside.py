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
    for target in ("extproc_command", "extproc_envoy_filter", "examples", "bench_processors"):
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
            _measure_routes(session, case, envoy, connections, server.pid)
    finally:
        envoy.stop()
        server.stop()


def _measure_routes(session: Session, case: Case, envoy: BenchEnvoy, connections: int, server: int) -> None:
    """In each round every way has its turn, none among them; what one adds is told against that round's."""
    ports = ports_of(envoy)
    name = f"{case.name}, c{connections}"
    for turn in session.rounds(session.scale.inside_rounds, f"{NAME}, {name}"):
        runs = {}
        for way in order(turn, list(ports)):
            with Window(envoy.pid) as on_envoy, Window(server) as window:
                done = loads.wrk(ports[way], connections, session.scale.envoy_seconds, case.body_bytes)
            runs[way] = (done, on_envoy.cpu / done.count * 1e6, window.cpu / done.count * 1e6)
        none, none_cpu, _ = runs[INSIDE_NONE]
        for way, (done, envoy_cpu, cpu) in runs.items():
            session.add(
                NAME, name, way, turn, p50_us=done.latency.p50, p99_us=done.latency.p99, requests_per_s=done.rate,
                envoy_cpu_us_per_request=envoy_cpu, cpu_us_per_request=cpu if way == INSIDE_EXT_PROC else 0.0,
                added_p50_us=done.latency.p50 - none.latency.p50, added_p99_us=done.latency.p99 - none.latency.p99,
                added_envoy_cpu_us=envoy_cpu - none_cpu,
            )  # fmt: skip
