"""A running `extproc dev`."""

import re
from pathlib import Path

from harness import paths


class Dev:
    """A running `extproc dev` with its files in a folder of the test."""

    def __init__(self, launcher, folder: Path, upstream: int, *arguments):
        # A socket's path is short.
        self.folder = folder
        command = [paths.built("extproc"), "dev", "--upstream", f"http://localhost:{upstream}", "--listen", "127.0.0.1:0"]
        env = {"TMPDIR": str(folder), "ENVOY": paths.envoy()}
        self.process = launcher.start("dev", [*command, *arguments], env=env)
        line = self.process.wait_for_log("  curl -i ", timeout=30)
        self.port = int(re.fullmatch(r"  curl -i http://127\.0\.0\.1:(\d+)/", line)[1])

    def envoy(self) -> int:
        """The id of its child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])
