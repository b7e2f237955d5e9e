"""The chart of deploy/chart, as helm reads it."""

import os
import subprocess
from pathlib import Path

import yaml

from harness import paths

CHART = paths.REPOSITORY / "deploy" / "chart"
CASES = sorted((CHART / "ci").glob("*.yaml"))
RELEASE, NAMESPACE = "processor", "edge"


def helm(*arguments, **options) -> subprocess.CompletedProcess:
    """`scripts/check_deploy.sh` and `scripts/control_plane_test.sh` say which."""
    return subprocess.run([os.environ["HELM"], *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False, **options)


def template(*arguments) -> subprocess.CompletedProcess:
    return helm("template", RELEASE, CHART, "--namespace", NAMESPACE, *arguments)


def rendered(*arguments) -> list[dict]:
    """All resources."""
    run = template(*arguments)
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.safe_load_all(run.stdout) if document]


def only(resources: list[dict], kind: str, name: str = "") -> dict:
    found = [one for one in resources if one["kind"] == kind and name in one["metadata"]["name"]]
    assert len(found) == 1, f"{len(found)} of {kind}"
    return found[0]


def written(folder: Path, text: str, name: str = "gateway.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file
