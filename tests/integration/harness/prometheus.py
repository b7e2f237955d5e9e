"""A running Prometheus that scrapes often, and what it says to queries."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from harness import http, paths
from harness.processes import Launcher, Process, free_port

RULES = paths.REPOSITORY / "deploy" / "prometheus"


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise paths.NotFound(f"{name} is not installed: run scripts/install.sh test")
    return found


def promtool(*arguments, folder: Path = RULES) -> subprocess.CompletedProcess:
    command = [program("promtool"), *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


class Prometheus:
    """Prometheus with the rules of the project; `targets`: ports by the job's name."""

    def __init__(self, launcher: Launcher, targets: dict[str, list[int]]):
        folder = launcher.folder / "prometheus"
        folder.mkdir()
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for job, ports in targets.items()
        ]
        often = {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "500ms"}
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump({"global": often, "rule_files": [str(RULES / "rules.yaml")], "scrape_configs": jobs}))
        self.port = free_port()
        self.process: Process = launcher.start(
            "prometheus",
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
        )
        self.process.wait_until_open(self.port)
        # It listens before it has read what it stored.
        self.process.wait_for(lambda: http.request(self.port, "GET", "/-/ready").status == 200, "Prometheus to be ready", 20)

    def get(self, path: str, **parameters: str):
        """The data of an answer of its API; an error of it is raised with its text."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {json.load(error)['error']}") from None

    def query(self, expression: str) -> list[dict]:
        """The series of an instant vector."""
        return self.get("query", query=expression)["result"]

    def values(self, expression: str) -> list[float]:
        return [float(series["value"][1]) for series in self.query(expression)]
