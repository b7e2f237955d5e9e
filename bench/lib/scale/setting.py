"""One Envoy as `extproc config` writes it, with least request, and replicas whose addresses it is told while it runs."""

import json
import os
import signal
import subprocess
from pathlib import Path

import yaml
from harness import paths
from harness.command import config
from harness.envoy import Envoy
from harness.metrics import Scrape, get
from harness.processes import Launcher, Process, free_port

CLUSTER = "processor"
# It waits on a blocking thread, as one that asks a database does: so what a replica can do is not the machine's CPU.
WAITING, WAIT_MS, THREADS = "test_processors.BlockingScripted", 20, 4
WAIT = f"x-do: request_headers sleep {WAIT_MS}"
CAPACITY = THREADS * 1000 // WAIT_MS
QUICK = "examples.TrivialExtProcService"
DRAIN_DELAY = 5


class Replica:
    def __init__(self, launcher: Launcher, service: str, *flags, socket: str | None = None):
        self.port, self.metrics = free_port(), free_port()
        self.address = f"unix:{socket}" if socket else f"127.0.0.1:{self.port}"
        command = [paths.built("extproc"), "serve", "-s", service, "--listen", self.address, "--metrics", f"127.0.0.1:{self.metrics}"]
        command += ["--blocking-threads", THREADS, "--drain-delay", DRAIN_DELAY, "--grace-period", 30, *flags]
        self.process: Process = launcher.start("replica", command)
        self.process.wait_for(self.healthy, "the replica to be healthy", 10)

    def healthy(self) -> bool:
        self.process.check_alive()
        return subprocess.run([paths.built("extproc"), "health", self.address], capture_output=True, check=False).returncode == 0

    def streams(self) -> float:
        """That have ended."""
        return sum(Scrape(get(self.metrics)[2]).of("extproc_streams_total").values())

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def drain(self) -> None:
        self.process.signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.signal(signal.SIGKILL)


class Setting:
    """Envoy on `port`, in front of the echo upstream."""

    def __init__(self, launcher: Launcher, request_headers_only: bool = True):
        self.port, admin, upstream = free_port(), free_port(), free_port()
        launcher.start("echo", [paths.built("echo_upstream"), "--port", upstream]).wait_until_open(upstream)
        self._endpoints = launcher.folder / f"endpoints-{admin}.json"
        text = config(
            "-s", QUICK, "--module-path", paths.build_dir(), "--cluster-name", CLUSTER, "--listen", f"127.0.0.1:{self.port}",
            "--admin", f"127.0.0.1:{admin}", "--upstream", f"http://127.0.0.1:{upstream}",
        )  # fmt: skip
        root = yaml.safe_load(text)
        # Who asks for endpoints has to say who it is.
        root["node"] = {"id": "bench", "cluster": "bench"}
        cluster = next(one for one in root["static_resources"]["clusters"] if one["name"] == CLUSTER)
        del cluster["load_assignment"]
        cluster |= {"type": "EDS", "lb_policy": "LEAST_REQUEST", "eds_cluster_config": {"eds_config": {
            "path_config_source": {"path": str(self._endpoints)}, "resource_api_version": "V3",
        }}}  # fmt: skip
        if request_headers_only:
            manager = root["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
            mode = manager["http_filters"][0]["typed_config"]["processing_mode"]
            mode["response_header_mode"] = "SKIP"
        self._addresses: list[str] = []
        self._write()
        self.envoy = Envoy(launcher, root, admin)

    def tell(self, *replicas: Replica) -> None:
        """Which there are, as endpoints of a Service; waits until they are healthy."""
        self.tell_only(*replicas)
        self.envoy.wait_for_healthy(CLUSTER, len(replicas))

    def tell_only(self, *replicas: Replica) -> None:
        self._addresses = [replica.address for replica in replicas]
        self._write()

    def _write(self) -> None:
        write_endpoints(self._endpoints, CLUSTER, self._addresses)


def write_endpoints(file: Path, cluster: str, addresses: list[str]) -> None:
    """What an EDS cluster reads from a file, at once: it is watched."""

    def address(text: str) -> dict:
        if text.startswith("unix:"):
            return {"pipe": {"path": text.removeprefix("unix:")}}
        host, _, port = text.rpartition(":")
        return {"socket_address": {"address": host, "port_value": int(port)}}

    resource = {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(text)}} for text in addresses]}],
    }
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"resources": [resource]}))
    new.rename(file)
