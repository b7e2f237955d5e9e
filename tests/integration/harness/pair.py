"""The same processors twice behind one Envoy, to compare a chain with a filter for each."""

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.extproc import Extproc
from harness.processes import Launcher, free_port

# What differs from request to request, and how a message is framed, which is Envoy's own choice; and whether it closes the
# connection, as it does where it answers before the whole request has come.
VARIABLE = {"date", "x-envoy-upstream-service-time", "content-length", "transfer-encoding", "connection"}


class Pair:
    """An Envoy with the same processors twice: a filter for each, and a chain of all in one filter."""

    def __init__(self, launcher: Launcher, modes: dict[str, Mode], separate: dict[str, Extproc], chain: Extproc, upstream_port: int):
        clusters = [Cluster(name, (server.address,)) for name, server in separate.items()]
        clusters += [Cluster("chain", (chain.address,)), Cluster("upstream", (upstream_port,), http2=False, trailers=True)]
        self.ports = {(mode, way): free_port() for mode in modes for way in ("filters", "chain")}
        listeners = []
        for mode, processing_mode in modes.items():
            filters = tuple(Filter(name, processing_mode) for name in separate)
            listeners.append(Listener(f"{mode}_filters", self.ports[mode, "filters"], filters))
            listeners.append(Listener(f"{mode}_chain", self.ports[mode, "chain"], (Filter("chain", processing_mode),)))
        admin = free_port()
        self.envoy = Envoy(launcher, bootstrap(admin, listeners, clusters), admin)

    def request(self, mode: str, method: str, parts: dict) -> tuple[dict, dict]:
        """What the caller gets through the filters, and through the chain."""
        return tuple(shown(http.request(self.ports[mode, way], method, "/chain", **parts)) for way in ("filters", "chain"))


def shown(response: http.Response) -> dict:
    """A response without what varies; the values of a header in order, headers in any."""
    headers: dict[str, list[bytes]] = {}
    for name, value in response.headers:
        if name not in VARIABLE:
            headers.setdefault(name, []).append(value)
    return {
        "status": response.status,
        "headers": headers,
        "body": response.body,
        "trailers": sorted(response.trailers),
    }
