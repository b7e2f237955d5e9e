"""Six processors: as six filters, and as one chain in one filter; one process in both."""

from harness.envoy_config import Mode

from lib import conformance, servers
from lib.envoy import HEADERS_ONLY, BenchEnvoy, Route
from lib.measure.envoy import measure_routes, warm_up
from lib.plan import WRK_CONNECTIONS
from lib.session import Session

NAME = "six"
_COUNT = 6


# The names of cases, each with the mode of the filters and the size of the requests' bodies. BUFFERED is how the six
# examples' filters are configured. The upstream's answer has a body too.
_CASES = {"headers": (HEADERS_ONLY, 0), "bodies BUFFERED": (Mode(), 1024)}


def measure(session: Session) -> None:
    command = session.commands.get("extproc")
    if command is None:
        return
    started = {"one": _start(session, command, "one", 1), "six filters": _start(session, command, "apart", _COUNT)}
    try:
        started["one chain"] = _start(session, command, "chain", 1)
    except AssertionError as error:
        session.notes.append(f"six processors as one chain: {_last_line(error)}")
    try:
        for case, (mode, body_bytes) in _CASES.items():
            _measure(session, case, mode, body_bytes, started)
    finally:
        for process, _ in started.values():
            process.stop()


def _measure(session: Session, case: str, mode: Mode, body_bytes: int, started: dict) -> None:
    envoy = BenchEnvoy(session.launcher, {name: Route(endpoints, mode) for name, (_, endpoints) in started.items()})
    try:
        warm_up(session, envoy)
        for connections in WRK_CONNECTIONS if mode == HEADERS_ONLY else session.scale.advice_connections:
            pids = {name: process.pid for name, (process, _) in started.items()}
            rounds = session.scale.own_rounds
            measure_routes(session, NAME, f"{case}, c{connections}", envoy, connections, rounds, pids, body_bytes)
    finally:
        envoy.stop()


def _start(session: Session, command: list, six: str, count: int):
    addresses = [servers.new_address(session.launcher, "six", unix=False) for _ in range(count)]
    arguments = ["--listen", ",".join(addresses), *(["--six", six] if six != "one" else ["--variant", "bodies"])]
    process = session.launcher.start(f"extproc-{six}", [*command, *arguments])
    endpoints = tuple(int(address.rpartition(":")[2]) for address in addresses)
    numbers = tuple(f"-{number}" for number in range(1, _COUNT + 1))
    suffixes = {"one": [("",)], "apart": [(number,) for number in numbers], "chain": [numbers]}[six]
    for endpoint, expected in zip(endpoints, suffixes, strict=True):
        process.wait_until_open(endpoint)
        conformance.check(f"six, {six}", endpoint, "headers", expected)
    return process, endpoints


def _last_line(error: AssertionError) -> str:
    return str(error).strip().splitlines()[-1]
