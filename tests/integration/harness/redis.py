"""A real redis-server."""

import subprocess

from harness.processes import Launcher, Process, free_port


class Redis:
    """On a port of its own; its content is gone with it."""

    def __init__(self, launcher: Launcher):
        self._launcher = launcher
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--save", "", "--appendonly", "no"]
        self.process: Process = self._launcher.start("redis", command)
        self.process.wait_until_open(self.port)

    def ask(self, *words: str) -> str:
        """What redis-cli says."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
