"""Processors of examples/production, behind an Envoy or inside one, with the filter that `extproc config` writes."""

from pathlib import Path

import yaml

from harness import http, over_tls
from harness.command import config
from harness.envoy import Envoy
from harness.envoy_config import Cluster, Listener, bootstrap
from harness.inside import environment
from harness.processes import Launcher, free_port
from harness.served_file import ServedFile

INSIDE = "inside"
WAYS = ("clear", "tls", INSIDE)


class Production:
    """`processors`: names and their settings, in the order of the chain; `way`: one of WAYS."""

    def __init__(
        self, launcher: Launcher, processors: dict[str, dict], upstream: int, *, way: str = "clear", flags: tuple = (),
        routes: tuple[dict, ...] = (), clusters: tuple[Cluster, ...] = (), access_log: dict | None = None,
    ):  # fmt: skip
        self.port, admin = free_port(), free_port()
        names = [f"production.{name}" for name in processors]
        inside = way == INSIDE
        services = ("--in-process",) if inside else ()
        self.filter = yaml.safe_load(config(*services, "-s", ",".join(names), "--format", "filter", *flags))[0]
        entries = [{"name": name, "settings": own} for name, own in zip(names, processors.values(), strict=True)]
        self.server: ServedFile | None = None
        all_clusters = [Cluster("upstream", (upstream,), http2=False, trailers=True), *clusters]
        if inside:
            value = self.filter["typed_config"]["filter_config"]["value"]
            value["processors"] = entries
            value.pop("settings", None)
        else:
            # Who only looks on hears of the end of a request so long after it; else 5 s.
            if self.filter["typed_config"].get("observability_mode"):
                self.filter["typed_config"]["deferred_close_timeout"] = "0.3s"
            all_clusters.append(self._serve(launcher, entries, way == "tls" or over_tls.enabled()))
        listener = Listener("http", self.port, (), before=(self.filter,), routes=routes, access_log=access_log)
        self.envoy = Envoy(launcher, bootstrap(admin, [listener], all_clusters), admin, env=environment() if inside else None)

    def _serve(self, launcher: Launcher, entries: list[dict], tls: bool) -> Cluster:
        port = self.server_port = free_port()
        folder = launcher.folder / f"served-{port}"
        folder.mkdir()
        flags = over_tls.serve_flags() if tls else []
        content = {"services": [{"listen": f"127.0.0.1:{port}", "processors": entries}]}
        self.server = ServedFile(launcher, folder, content, "-l", *flags)
        self.server.process.wait_until_open(port)
        cluster = self.filter["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"]
        return Cluster(cluster, (port,), transport_socket=over_tls.cluster_part()["transport_socket"] if tls else None)

    def request(self, method: str = "GET", path: str = "/", **parts) -> http.Response:
        return http.request(self.port, method, path, **parts)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
