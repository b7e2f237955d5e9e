"""The commands of docs/operations.md, each run as it stands there but for the ports and the file of the log."""

import os
import re
import subprocess

import pytest

from harness import http, paths
from harness.envoy import envoy_in_front
from harness.extproc import Extproc
from harness.processes import free_port

PAGE = (paths.REPOSITORY / "docs" / "operations.md").read_text()
SECTION = PAGE[PAGE.index("\n## At 3 a.m.") :].split("\n## ", 2)[1]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", SECTION, re.M | re.S)
COMMANDS = [command for block in BLOCKS for command in re.split(r"(?<!\\)\n", block) if command]
# A look for lines that a server at peace does not have.
MAY_BE_EMPTY = re.compile(r"^grep |\| (?:tail|head|wc)\b|outbound_control_flood|_total\.\* \[1-9\]")


class Served:
    """A server and an Envoy as the page has them, and a request that has gone through both."""

    def __init__(self, launcher, raw_port: int):
        metrics, admin = free_port(), free_port()
        self.log = launcher.folder / "operations.log"
        flags = ["--metrics", f"127.0.0.1:{metrics}", "--server-admin", f"127.0.0.1:{admin}", "--reflection", "--log-file", self.log]
        self.server = Extproc(launcher, "examples.TrivialExtProcService", arguments=tuple(flags))
        port, envoy = envoy_in_front(launcher, self.server.address, raw_port)
        assert http.request(port, "GET", "/").status == 200
        self._places = {
            "localhost:50051": f"127.0.0.1:{self.server.address}",
            "50051": str(self.server.address),
            "localhost:9901": f"127.0.0.1:{envoy.admin_port}",
            "localhost:9902": f"127.0.0.1:{metrics}",
            "localhost:9903": f"127.0.0.1:{admin}",
            "/var/log/extproc.log": str(self.log),
        }

    def run(self, command: str) -> subprocess.CompletedProcess:
        for name, place in self._places.items():
            command = command.replace(name, place)
        path = os.pathsep.join([str(paths.build_dir()), os.path.dirname(paths.tool("grpcurl")), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-c", command], env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=20, check=False
        )


@pytest.fixture(scope="module")
def served(launcher, raw_port) -> Served:
    return Served(launcher, raw_port)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split("#")[0].strip()[:60])
def test_the_command_says_something(served, command):
    run = served.run(command)
    assert run.stderr == ""
    if not MAY_BE_EMPTY.search(command):
        assert run.returncode == 0
        assert run.stdout.strip()
        assert not re.match(r"there is no|nothing is here|\{\"error", run.stdout), run.stdout


def test_there_are_commands_for_each_symptom():
    symptoms = re.split(r"^### ", SECTION, flags=re.M)[1:]
    assert len(symptoms) > 10
    assert [symptom.splitlines()[0] for symptom in symptoms if "```sh" not in symptom] == []
    assert len(COMMANDS) > 30
