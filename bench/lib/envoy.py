"""Envoy with one worker, a listener without a filter, and a listener for each way of processing that is compared."""

from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.processes import Launcher, free_port

from lib.servers import PROGRAMS

_HEADERS_ONLY = Mode(request_body="NONE", response_body="NONE")
BASELINE = "no filter"


class BenchEnvoy:
    """`routes` names lists of endpoints, one for each filter of that route."""

    def __init__(self, launcher: Launcher, routes: dict[str, list[int | str]]):
        upstream = free_port()
        echo = launcher.start("echo_upstream", [PROGRAMS / "echo_upstream", "--port", upstream])
        echo.wait_until_open(upstream)
        clusters = [Cluster("upstream", (upstream,), http2=False)]
        self.ports = {BASELINE: free_port()}
        listeners = [Listener("baseline", self.ports[BASELINE], ())]
        for number, (name, endpoints) in enumerate(routes.items()):
            self.ports[name] = free_port()
            filters = []
            for position, endpoint in enumerate(endpoints):
                cluster = f"processor-{number}-{position}"
                clusters.append(Cluster(cluster, (endpoint,)))
                filters.append(Filter(cluster, _HEADERS_ONLY))
            listeners.append(Listener(f"route-{number}", self.ports[name], tuple(filters)))
        admin = free_port()
        self._envoy = Envoy(launcher, bootstrap(admin, listeners, clusters), admin, concurrency=1)
        self._echo = echo
        for port in self.ports.values():
            self._envoy.process.wait_until_open(port)

    @property
    def pid(self) -> int:
        return self._envoy.process.pid

    def stop(self) -> None:
        self._envoy.process.stop()
        self._echo.stop()
