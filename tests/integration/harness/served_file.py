"""`extproc serve --settings`, and what becomes of changes of the file."""

import signal
from pathlib import Path

import yaml

from harness import grpc_client, paths, protos
from harness.command import extproc
from harness.processes import Launcher, Process


OWN = "test_processors.Own"


class ServedFile:
    """A file, and a server of what it says."""

    def __init__(self, launcher: Launcher, folder: Path, content: dict | str, *flags, env: dict | None = None):
        self.path = folder / "serve.yaml"
        self.write(content)
        command = [paths.built("extproc"), "serve", "--settings", self.path, *flags]
        self.process: Process = launcher.start("served_file", command, env=env)

    def write(self, content: dict | str) -> None:
        self.path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))

    def reload(self, content: dict | str, until: str) -> list[str]:
        """What the log says from the signal on, up to a line with that text."""
        before = len(self.process.log())
        self.write(content)
        self.process.signal(signal.SIGHUP)

        def new_lines() -> list[str] | None:
            lines = self.process.log()[before:].splitlines()
            return lines if any(until in line for line in lines) else None

        return self.process.wait_for(new_lines, f"{until!r} behind the signal", 10)


def check(path: Path, *flags, **options):
    return extproc("serve", "--settings", path, "--check-settings", *flags, **options)


def own(value: str, **more) -> dict:
    return {"name": OWN, "settings": {"value": value, **more}}


def service(port: int, *processors, **more) -> dict:
    return {"listen": f"127.0.0.1:{port}", "processors": list(processors), **more}


def answer_of(port: int) -> str:
    """The header that Own sets for a request that comes now."""
    with grpc_client.channel(port) as channel:
        stream = grpc_client.process(channel)
        answer = next(stream(iter([protos.request_headers({":method": "GET", ":path": "/"})])))
    mutation = answer.request_headers.response.header_mutation
    return {header.header.key: header.header.raw_value.decode() for header in mutation.set_headers}["x-own"]
