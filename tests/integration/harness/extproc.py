"""The `extproc` command, serving a processor."""

from pathlib import Path

from harness import grpc_client, over_tls, paths
from harness.processes import Launcher, Process, free_port

PROCESSORS = ("Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx")


class Extproc:
    """`extproc serve` with one processor, on a port of its own or on a Unix domain socket."""

    def __init__(
        self,
        launcher: Launcher,
        service: str | None,
        arguments: tuple = (),
        env: dict | None = None,
        socket: Path | None = None,
    ):
        self.address: int | str = str(socket) if socket else free_port()
        where = ["--listen", f"unix:{socket}"] if socket else ["-p", self.address]
        what = ["-s", service] if service else []
        tls = over_tls.serve_flags() if over_tls.enabled() and not socket else []
        command = [paths.built("extproc"), "serve", *what, *where, "-l", *tls, *arguments]
        name = service.rpartition(".")[2] if service else "Base"
        self.process: Process = launcher.start(name, command, env=env)
        self.process.wait_until_open(self.address)

    def channel(self, **options):
        return grpc_client.channel(self.address, **options)

    def lines(self, text: str) -> list[str]:
        return [line for line in self.process.log().splitlines() if text in line]


def serve_examples(launcher: Launcher, **options) -> dict[str, Extproc]:
    """The six example processors, in the order of Envoy's filters."""
    return {name: Extproc(launcher, f"examples.{name}ExtProcService", **options) for name in PROCESSORS}
