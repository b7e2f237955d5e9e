"""Envoy's side of TLS, as `extproc config --tls` writes it, with its files."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.certificates import Authority, Pair
from harness.command import check, config
from harness.envoy import Envoy
from harness.processes import free_port

TRIVIAL = ("-s", "examples.TrivialExtProcService")
CLUSTER = "trivial-ext-proc-service"


def mount(folder: Path, files: dict[str, bytes], by_kubernetes: bool) -> None:
    """As who renews files does it: by renaming each, or the link that all go through."""
    if not by_kubernetes:
        for name, content in files.items():
            (folder / f".{name}").write_bytes(content)
            os.rename(folder / f".{name}", folder / name)
        return
    version = folder / f"..{len(list(folder.glob('..[0-9]*')))}"
    version.mkdir()
    for name, content in files.items():
        (version / name).write_bytes(content)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(version.name)
    os.rename(folder / "..data_tmp", folder / "..data")


class Files:
    """What lies on Envoy's machine: certificates as they are mounted, and what SDS tells of them."""

    def __init__(self, folder: Path, authority: Authority, by_kubernetes: bool = False):
        self._by_kubernetes = by_kubernetes
        self.certificates, self.sds = folder / "certificates", folder / "sds"
        self.certificates.mkdir()
        self.sds.mkdir()
        self.put(authority.certificate, authority.client("DNS:first.example"))

    def put(self, ca: Path, client: Pair) -> None:
        files = {"ca.crt": ca, "tls.key": client.key, "tls.crt": client.certificate}
        mount(self.certificates, {name: file.read_bytes() for name, file in files.items()}, self._by_kubernetes)

    def flags(self, mutual: bool = True) -> list:
        own = ["--tls-cert", self.certificates / "tls.crt", "--tls-key", self.certificates / "tls.key"] if mutual else []
        return ["--tls", "--tls-ca", self.certificates / "ca.crt", *own, "--tls-sds-folder", self.sds]

    def write_sds(self, *flags) -> None:
        """By the commands that docs/configuration.md has."""
        written = {"ca": config(*flags, "--format", "sds-ca")}
        if "--tls-cert" in flags:
            written["certificate"] = config(*flags, "--format", "sds-certificate")
        mount(self.sds, {f"extproc-{name}.yaml": text.encode() for name, text in written.items()}, self._by_kubernetes)


@dataclass(frozen=True)
class Asking:
    """An Envoy that asks a processor, the port of its listener, and its configuration."""

    envoy: Envoy
    port: int
    text: str

    def findings(self) -> str:
        return check(self.text, *TRIVIAL, "--tls").stdout


def ask(launcher, files: Files, port: int, *flags, mutual: bool = True, upstream: int = 1, change=None) -> Asking:
    """Envoy in front of the processor on that port; `change` is done to its common_tls_context."""
    listen, admin = free_port(), free_port()
    all_flags = [
        *TRIVIAL, "--address", f"127.0.0.1:{port}", "--listen", f"127.0.0.1:{listen}", "--admin", f"127.0.0.1:{admin}",
        "--upstream", f"http://127.0.0.1:{upstream}", *files.flags(mutual), *flags,
    ]  # fmt: skip
    files.write_sds(*all_flags)
    text = config(*all_flags)
    if change is not None:
        root = yaml.safe_load(text)
        change(root["static_resources"]["clusters"][0]["transport_socket"]["typed_config"]["common_tls_context"])
        text = yaml.safe_dump(root)
    return Asking(Envoy(launcher, text, admin, concurrency=1), listen, text)
