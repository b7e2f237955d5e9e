"""Six processors: as six filters, and as one chain in one filter; one process in both."""

from lib import loads, servers
from lib.envoy import BenchEnvoy, Route
from lib.measure.envoy import measure_routes
from lib.plan import WRK_CONNECTIONS
from lib.session import Session

NAME = "six"
_COUNT = 6


def measure(session: Session) -> None:
    command = session.commands.get("extproc")
    if command is None:
        return
    started = {"one": _start(session, command, "one", 1), "six filters": _start(session, command, "apart", _COUNT)}
    try:
        started["one chain"] = _start(session, command, "chain", 1)
    except AssertionError as error:
        session.notes.append(f"six processors as one chain: {_last_line(error)}")
    envoy = None
    try:
        envoy = BenchEnvoy(session.launcher, {name: Route(endpoints) for name, (_, endpoints) in started.items()})
        for port in envoy.ports.values():
            loads.wrk(port, max(WRK_CONNECTIONS), 1)
        for connections in WRK_CONNECTIONS:
            pids = {name: process.pid for name, (process, _) in started.items()}
            measure_routes(session, NAME, f"tcp c{connections}", envoy, connections, pids)
    finally:
        if envoy is not None:
            envoy.stop()
        for process, _ in started.values():
            process.stop()


def _start(session: Session, command: list, six: str, count: int):
    addresses = [servers.new_address(session.launcher, "six", unix=False) for _ in range(count)]
    arguments = ["--listen", ",".join(addresses), *(["--six", six] if six != "one" else [])]
    process = session.launcher.start(f"extproc-{six}", [*command, *arguments])
    endpoints = tuple(int(address.rpartition(":")[2]) for address in addresses)
    for endpoint in endpoints:
        process.wait_until_open(endpoint)
    return process, endpoints


def _last_line(error: AssertionError) -> str:
    return str(error).strip().splitlines()[-1]
