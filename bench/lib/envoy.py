"""Envoy with one worker, a listener without a filter, and a listener for each way of processing that is compared."""

from dataclasses import dataclass

from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.processes import Launcher, free_port

from lib.servers import PROGRAMS

HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
BASELINE = "no filter"


@dataclass(frozen=True)
class Route:
    """A filter for each endpoint."""

    endpoints: tuple[int | str, ...]
    mode: Mode = HEADERS_ONLY
    transport_socket: dict | None = None
    """Of its clusters, where it is not clear text."""
    filters: tuple = ()
    """Others, with a to_json(), behind those."""


class BenchEnvoy:
    def __init__(self, launcher: Launcher, routes: dict[str, Route], env: dict | None = None, tool: tuple = ()):
        upstream = free_port()
        echo = launcher.start("echo_upstream", [PROGRAMS / "echo_upstream", "--port", upstream])
        echo.wait_until_open(upstream)
        clusters = [Cluster("upstream", (upstream,), http2=False)]
        self.ports = {BASELINE: free_port()}
        listeners = [Listener("baseline", self.ports[BASELINE], ())]
        for number, (name, route) in enumerate(routes.items()):
            self.ports[name] = free_port()
            filters = []
            for position, endpoint in enumerate(route.endpoints):
                cluster = f"processor-{number}-{position}"
                clusters.append(Cluster(cluster, (endpoint,), transport_socket=route.transport_socket))
                filters.append(Filter(cluster, route.mode))
            listeners.append(Listener(f"route-{number}", self.ports[name], (*filters, *route.filters)))
        admin = free_port()
        self._envoy = Envoy(launcher, bootstrap(admin, listeners, clusters), admin, concurrency=1, env=env, tool=tool)
        self._echo = echo
        for port in self.ports.values():
            self._envoy.process.wait_until_open(port)

    @property
    def pid(self) -> int:
        return self._envoy.process.pid

    def stop(self) -> None:
        self._envoy.process.stop()
        self._echo.stop()
