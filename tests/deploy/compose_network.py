"""Services of a compose file without an engine: each in a network of its own, at an address that the others find by its name."""

import os
import subprocess
from pathlib import Path

from harness import paths
from harness.processes import Launcher, Process

SUBNET = "10.77.0"
USER = 65532
# An engine's own names for what runs in an image: the program, and what the image says of it.
EXTPROC, ECHO = paths.built("extproc"), paths.built("echo_upstream")


def run(*command) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


class Network:
    """A bridge between namespaces, and a namespace of the machine that publishes ports. What is made is gone at its end."""

    def __init__(self, names: list[str], launcher: Launcher, folder: Path):
        self._prefix = f"compose{os.getpid()}-"
        self._launcher = launcher
        self._folder = folder
        self.addresses = {name: f"{SUBNET}.{number}" for number, name in enumerate(names, start=2)}
        self._spaces: list[str] = []
        self._hosts = folder / "hosts"
        self._hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ip} {name}\n" for name, ip in self.addresses.items()))

    def __enter__(self) -> "Network":
        self._add("host", f"{SUBNET}.1")
        for name, address in self.addresses.items():
            self._add(name, address)
        return self

    def __exit__(self, *exception) -> None:
        for space in reversed(self._spaces):
            subprocess.run(["ip", "netns", "delete", space], check=False)

    def _add(self, name: str, address: str) -> None:
        space = self.space(name)
        run("ip", "netns", "add", space)
        self._spaces.append(space)
        run("ip", "-n", space, "link", "set", "lo", "up")
        if name == "host":
            run("ip", "-n", space, "link", "add", "bridge", "type", "bridge")
            run("ip", "-n", space, "link", "set", "bridge", "up")
            run("ip", "-n", space, "address", "add", f"{address}/24", "dev", "bridge")
            return
        link = f"v{address.rpartition('.')[2]}"
        run("ip", "-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", link, "netns", self.space("host"))
        run("ip", "-n", space, "address", "add", f"{address}/24", "dev", "eth0")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        run("ip", "-n", self.space("host"), "link", "set", link, "master", "bridge", "up")

    def space(self, name: str) -> str:
        return self._prefix + name

    def within(self, name: str, *command) -> list:
        """The command in the network of a service, or of the machine: "host"."""
        return ["ip", "netns", "exec", self.space(name), *command]

    def start(self, name: str, command: list, env: dict) -> Process:
        """A service, as nobody in particular and without a right; it finds the others by name."""
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
        named = ["bash", "-c", 'mount --bind "$1" /etc/hosts && shift && exec "$@"', "named", self._hosts]
        return self._launcher.start(name, self.within(name, *named, *user, *command), env=env)
