"""A processor of tests/integration/module served so that its counters can be read."""

import json
import signal

from harness import grpc_client, over_tls, paths
from harness.processes import Launcher, Process, eventually, free_port


class TestServer:
    """`test_server` with one processor; `settings` as module/set_setting.h lists them."""

    __test__ = False  # not a test case

    def __init__(self, launcher: Launcher, processor: str, **settings: str | int):
        self.address = free_port()
        command = [paths.built("test_server"), self.address, processor]
        command += [f"{name}={value}" for name, value in settings.items()]
        command += [f"tls={over_tls.folder()}"] if over_tls.enabled() and "tls" not in settings else []
        self.process: Process = launcher.start(processor, command)
        self.process.wait_until_open(self.address)

    def stats(self) -> dict[str, int]:
        """The server's counters now."""
        before = len(self._stats_lines())
        self.process.signal(signal.SIGUSR1)
        lines = eventually(lambda: (self._stats_lines())[before:], "the server's counters")
        return json.loads(lines[0].removeprefix("stats "))

    def _stats_lines(self) -> list[str]:
        return [line for line in self.process.log().split("\n")[:-1] if line.startswith("stats ")]

    def lines(self, text: str) -> list[str]:
        return [line for line in self.process.log().splitlines() if text in line]

    def channel(self, **options):
        return grpc_client.channel(self.address, **options)
