"""Names of a cluster, by dnsmasq: a headless Service has the addresses of all replicas that are ready."""

import signal
from pathlib import Path

from harness.processes import Launcher

# As kube-dns has it.
TTL = 5


class Names:
    def __init__(self, launcher: Launcher):
        self._file: Path = launcher.folder / "hosts"
        self._addresses: dict[str, list[str]] = {}
        self._file.write_text("")
        command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--addn-hosts={self._file}"]
        command += ["--listen-address=127.0.0.1", "--bind-interfaces", "--local=/local/", f"--local-ttl={TTL}", "--user=root", "--pid-file="]
        self._process = launcher.start("dnsmasq", command)
        self._process.wait_for_log("read ", 5)

    def add(self, name: str, address: str) -> None:
        self._addresses.setdefault(name, []).append(address)
        self._write()

    def remove(self, name: str, address: str) -> None:
        self._addresses[name].remove(address)
        self._write()

    def _write(self) -> None:
        self._process.check_alive()
        self._file.write_text("".join(f"{address} {name}\n" for name, found in self._addresses.items() for address in found))
        self._process.signal(signal.SIGHUP)
