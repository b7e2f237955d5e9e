"""One Envoy with listeners as a test file wants them, each with one or more ext_proc filters in front of an upstream."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import http
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap, json_access_log
from harness.lab import with_actions
from harness.processes import Launcher, eventually, free_port

LOGGED = {
    "id": "%REQ(x-request-id)%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "route": "%ROUTE_NAME%",
}


@dataclass(frozen=True)
class Site:
    """A listener whose filters are of the processors named, all with the same options."""

    name: str
    processors: tuple[str, ...]
    mode: Mode = Mode()
    failure_mode_allow: bool = False
    message_timeout: str = "10s"
    extra: dict = field(default_factory=dict)
    before: tuple[dict, ...] = ()
    routes: tuple[dict, ...] = ()
    upstream: str = "upstream"
    buffer_bytes: int | None = None

    def filters(self) -> tuple[Filter, ...]:
        return tuple(
            Filter(processor, self.mode, self.failure_mode_allow, self.message_timeout, self.extra) for processor in self.processors
        )

    def with_mode(self, **modes: str) -> "Site":
        return replace(self, mode=replace(self.mode, **modes))


class Stage:
    """`servers` maps a processor's name in the sites to what serves it; `logged` are further fields of the access log."""

    def __init__(
        self,
        launcher: Launcher,
        servers: dict,
        sites: list[Site],
        upstream_port: int,
        logged: dict[str, str] | None = None,
        clusters: tuple[Cluster, ...] = (),
        runtime: dict | None = None,
    ):
        self.servers = servers
        self.ports = {site.name: free_port() for site in sites}
        admin = free_port()
        self._log = launcher.folder / f"access-{admin}.log"
        access_log = json_access_log(self._log, LOGGED | (logged or {}))
        all_clusters = [Cluster(name, (server.address,)) for name, server in servers.items()]
        all_clusters.append(Cluster("upstream", (upstream_port,), http2=False, trailers=True))
        all_clusters += clusters
        listeners = [
            Listener(
                site.name,
                self.ports[site.name],
                site.filters(),
                site.upstream,
                site.buffer_bytes,
                before=site.before,
                routes=site.routes,
                access_log=access_log,
            )
            for site in sites
        ]
        self.envoy = Envoy(launcher, bootstrap(admin, listeners, all_clusters), admin)
        self._requests = 0

    def request(self, site: str, method: str = "GET", do: list[str] | None = None, path: str = "/stage", **parts) -> http.Response:
        return http.request(self.ports[site], method, path, **with_actions(do, parts))

    def bodies(self, site: str, method: str = "GET", do: list[str] | None = None, **parts) -> http.Response:
        """The same for the processor Bodies, which has a header of its own."""
        headers = [*parts.pop("headers", []), *(("x-do-bodies", action) for action in do or [])]
        return self.request(site, method, headers=headers, **parts)

    async def request_async(self, site: str, method: str = "GET", do: list[str] | None = None, path: str = "/stage", **parts):
        return await http.request_async(self.ports[site], method, path, **with_actions(do, parts))

    def logged(self, site: str, method: str = "GET", **parts) -> tuple[http.Response, dict]:
        """A request, and what the access log says of it."""
        self._requests += 1
        name = f"{site}-{self._requests}"
        parts["headers"] = [*parts.get("headers", []), ("x-request-id", name)]
        response = self.request(site, method, **parts)
        return response, self.access(name)

    def access(self, request_id: str) -> dict:
        def find() -> dict | None:
            lines = Path(self._log).read_text().splitlines() if self._log.exists() else []
            entries = (json.loads(line) for line in lines if request_id in line)
            return next((entry for entry in entries if entry["id"] == request_id), None)

        return eventually(find, f"{request_id} in the access log")

    def counters(self, site: str, pattern: str = "") -> dict[str, int]:
        """The ext_proc counters of a site that are not 0, without their prefix."""
        counters = self.envoy.stats(rf"^http\.{site}\.ext_proc\..*{pattern}")
        return {name.rpartition(".")[2]: value for name, value in counters.items() if value}
