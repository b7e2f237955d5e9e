"""Replicas of the chart's Deployment, started with what it says: what kubelet and the controllers do in a cluster."""

import itertools
import signal
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from helm import only
from names import Names

from harness import paths
from harness.processes import Launcher, Process

START_TIMEOUT = 20
# Where the chart mounts what it mounts.
MOUNTED = "/etc/extproc"


@dataclass(frozen=True)
class Pod:
    address: str
    process: Process


class Pods:
    _numbers = itertools.count(1)

    def __init__(self, launcher: Launcher, names: Names, resources: list[dict], secret: dict[str, bytes] | None = None):
        """`secret` is what is in the Secret of the certificate."""
        self._launcher = launcher
        self._names = names
        self._mounted: Path = launcher.folder / f"mounted-{len(list(launcher.folder.glob('mounted-*')))}"
        self._container = only(resources, "Deployment")["spec"]["template"]["spec"]["containers"][0]
        metadata = only(resources, "Service")["metadata"]
        self._host = f"{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
        settings = only(resources, "ConfigMap", "-settings")["data"]
        self._mount("settings", {name: text.encode() for name, text in settings.items()})
        self._mount("tls", secret or {})
        self.running: list[Pod] = []

    def _mount(self, folder: str, files: dict[str, bytes]) -> None:
        (self._mounted / folder).mkdir(parents=True)
        for name, content in files.items():
            (self._mounted / folder / name).write_bytes(content)

    def start(self) -> Pod:
        """One more; once it is ready the Service's name has its address."""
        number = next(self._numbers)
        address = f"10.77.1.{number}"
        arguments = [part.replace(MOUNTED, str(self._mounted)) for part in self._container["args"]]
        # Pods have addresses of their own; here they are of one machine.
        arguments = [part.replace("--port=", f"--listen={address}:").replace("0.0.0.0", address) for part in arguments]
        env = {"EXTPROC_MODULE_PATH": str(paths.build_dir())}
        pod = Pod(address, self._launcher.start(f"pod-{number}", [paths.built("extproc"), *arguments], env=env))
        pod.process.wait_for(lambda: self._ready(pod), f"the readinessProbe of {address}", START_TIMEOUT)
        self._names.add(self._host, address)
        self.running.append(pod)
        return pod

    def _ready(self, pod: Pod) -> bool:
        pod.process.check_alive()
        probe = self._container["readinessProbe"]
        if "grpc" in probe:
            health = [paths.built("extproc"), "health", f"{pod.address}:{probe['grpc']['port']}"]
            return subprocess.run(health, capture_output=True, check=False).returncode == 0
        port = next(port["containerPort"] for port in self._container["ports"] if port["name"] == probe["httpGet"]["port"])
        try:
            return urllib.request.urlopen(f"http://{pod.address}:{port}{probe['httpGet']['path']}", timeout=2).status == 200
        except OSError:
            return False

    def end(self, pod: Pod, number: signal.Signals = signal.SIGTERM) -> None:
        """As a Pod is deleted: both at once."""
        self._names.remove(self._host, pod.address)
        pod.process.signal(number)
        self.running.remove(pod)

    def forget(self) -> None:
        """Their addresses; the launcher ends them."""
        for pod in self.running:
            self._names.remove(self._host, pod.address)

    def end_all(self) -> None:
        for pod in list(self.running):
            self.end(pod)
            assert pod.process.wait(40) == 0
