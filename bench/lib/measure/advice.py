"""What a user can do about what Envoy costs: the processing modes, ending streams early, what not to ask for."""

from dataclasses import dataclass

from harness.envoy_config import Mode

from lib import servers
from lib.envoy import HEADERS_ONLY, BenchEnvoy, Route
from lib.measure.envoy import measure_routes, warm_up
from lib.session import Session

NAME = "advice"


@dataclass(frozen=True)
class Setup:
    variant: str
    mode: Mode = HEADERS_ONLY
    early_end: bool = True


_REQUEST_ONLY = Mode(response_header="SKIP", request_body="NONE", response_body="NONE")
# The requests have no bodies: BUFFERED costs what asking for a body that is not there costs, and that of the answer.
ROUTES = {
    "both headers": Setup("headers"),
    "both headers, bodies BUFFERED": Setup("headers", Mode()),
    "request headers, filter sends both, no early end": Setup("request-only", early_end=False),
    "request headers, filter sends both, early end": Setup("request-only"),
    "request headers, response_header_mode SKIP": Setup("request-only", _REQUEST_ONLY),
}


def measure(session: Session) -> None:
    command = session.commands.get("extproc")
    if command is None:
        return
    started, routes = {}, {}
    envoy = None
    try:
        for name, setup in ROUTES.items():
            try:
                started[name], endpoint = _start(session, command, setup)
                routes[name] = Route((endpoint,), setup.mode)
            except AssertionError as error:
                session.notes.append(f"{name}: {str(error).strip().splitlines()[-1]}")
        envoy = BenchEnvoy(session.launcher, routes)
        warm_up(session, envoy)
        for connections in session.scale.advice_connections:
            pids = {name: process.pid for name, process in started.items()}
            measure_routes(session, NAME, f"tcp c{connections}", envoy, connections, session.scale.own_rounds, pids)
    finally:
        if envoy is not None:
            envoy.stop()
        for process in started.values():
            process.stop()


def _start(session: Session, command: list, setup: Setup):
    address = servers.new_address(session.launcher, "advice", unix=False)
    early_end = "on" if setup.early_end else "off"
    process = session.launcher.start(
        "extproc-advice", [*command, "--listen", address, "--variant", setup.variant, "--early-end", early_end]
    )
    endpoint = int(address.rpartition(":")[2])
    process.wait_until_open(endpoint)
    return process, endpoint
