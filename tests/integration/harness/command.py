"""The `extproc` command, run to its end."""

import subprocess
from functools import cache
from pathlib import Path

import yaml

from harness import paths

EXAMPLES = tuple(
    f"examples.{name}ExtProcService" for name in ("Base", "Trivial", "Timer", "Echo", "Digest", "Decorated", "Ctx")
)
BODY_MODES = ("BUFFERED", "STREAMED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED")


def extproc(*arguments, **options) -> subprocess.CompletedProcess:
    command = [str(paths.built("extproc")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, **options)


def config(*arguments, **options) -> str:
    """What `extproc config` writes."""
    run = extproc("config", *arguments, **options)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


def check(text: str, *arguments) -> subprocess.CompletedProcess:
    """`extproc check` of a configuration."""
    return extproc("check", "-", *arguments, input=text)


@cache
def handled_bodies(service: str) -> tuple[str, ...]:
    """The directions whose body an example handles."""
    mode = yaml.safe_load(config("-s", service, "--format", "filter"))[0]["typed_config"]["processing_mode"]
    return tuple(name for name in ("request", "response") if mode[f"{name}_body_mode"] != "NONE")


def body_mode_flags(service: str, mode: str) -> list[str]:
    """The flags for that mode of each body that the example handles."""
    return [flag for name in handled_bodies(service) for flag in (f"--{name}-body-mode", mode)]


def validate_with_envoy(text: str, folder: Path) -> None:
    """Fails with Envoy's reason when Envoy does not accept the configuration."""
    file = folder / "envoy.yaml"
    file.write_text(text)
    command = [paths.envoy(), "--mode", "validate", "-c", str(file), "-l", "warning"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, f"Envoy refuses it: {run.stdout}{run.stderr}{text}"
