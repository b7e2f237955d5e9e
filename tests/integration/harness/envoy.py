"""A running Envoy, and what its admin port tells."""

import json
import re

from harness import http, paths
from harness.envoy_config import Cluster, Filter, Listener, Mode, bootstrap
from harness.processes import Launcher, Process, eventually, free_port


class Envoy:
    """Envoy with one configuration; `tool`: what runs it, such as valgrind."""

    def __init__(
        self,
        launcher: Launcher,
        configuration: dict | str,
        admin_port: int,
        concurrency: int = 2,
        open_files: int | None = None,
        env: dict | None = None,
        level: str = "warning",
        flags: tuple = (),
        tool: tuple = (),
    ):
        text = configuration if isinstance(configuration, str) else json.dumps(configuration, indent=1)
        file = launcher.folder / f"envoy-{admin_port}.{'yaml' if isinstance(configuration, str) else 'json'}"
        file.write_text(text)
        self.admin_port = admin_port
        command = [*tool, paths.envoy(), "-c", file, "--disable-hot-restart", "--concurrency", concurrency]
        command += ["-l", level, "--file-flush-interval-msec", "50", *flags]
        self.process: Process = launcher.start("envoy", command, env=env, open_files=open_files)
        self.process.wait_until_open(admin_port)
        self.process.wait_for(self._ready, "Envoy to be ready", 20)

    def _ready(self) -> bool:
        self.process.check_alive()
        return http.request(self.admin_port, "GET", "/ready").status == 200

    def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges whose name matches the pattern."""
        answer = http.request(self.admin_port, "GET", "/stats?format=json")
        return {
            stat["name"]: stat["value"]
            for stat in answer.json()["stats"]
            if "value" in stat and re.search(pattern, stat["name"])
        }

    def ext_proc_failures(self) -> dict[str, int]:
        """The ext_proc counters that tell of something wrong and are not 0."""
        pattern = r"ext_proc\..*(streams_failed|message_timeouts|failure_mode_allowed|spurious_msgs_received)$"
        counters = self.stats(pattern)
        assert counters, "Envoy has no ext_proc counters: no request went through a filter"
        return {name: value for name, value in counters.items() if value}

    def healthy_endpoints(self, cluster: str) -> int:
        return self.stats(rf"^cluster\.{cluster}\.membership_healthy$")[f"cluster.{cluster}.membership_healthy"]

    def wait_for_healthy(self, cluster: str, count: int, timeout: float = 10.0) -> None:
        eventually(lambda: self.healthy_endpoints(cluster) == count, f"{count} healthy endpoints of {cluster}", timeout)


def envoy_in_front(
    launcher: Launcher, processor: int | str, upstream: int, mode: Mode = Mode(), concurrency: int = 2, **cluster
) -> tuple[int, Envoy]:
    """A new Envoy with that processor as its only filter, and its port; `cluster`: what else its Cluster has."""
    port, admin = free_port(), free_port()
    clusters = [Cluster("processor", (processor,), **cluster), Cluster("upstream", (upstream,), http2=False)]
    listener = Listener("http", port, (Filter("processor", mode),))
    return port, Envoy(launcher, bootstrap(admin, [listener], clusters), admin, concurrency)


def envoy_in_front_of(launcher: Launcher, processor: int | str, upstream: int) -> int:
    """The port of a new Envoy of one thread with that processor as its only filter."""
    return envoy_in_front(launcher, processor, upstream, concurrency=1)[0]
