"""Where the programs under test and the tools are."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
DESCRIPTORS = REPOSITORY / "proto" / "ext_proc.desc"


class NotFound(Exception):
    """A program that the tests need is missing; the text says what to do."""


def build_dir() -> Path:
    """The build folder under test: EXTPROC_BUILD_DIR, or build/release of the project."""
    return (REPOSITORY / os.environ.get("EXTPROC_BUILD_DIR", "build/release")).resolve()


def memory_factor() -> int:
    """How many times as much memory the build under test takes: EXTPROC_MEMORY_FACTOR, more than 1 with a sanitizer."""
    return int(os.environ.get("EXTPROC_MEMORY_FACTOR", "1"))


def built(name: str) -> Path:
    """A program or module of the build folder."""
    path = build_dir() / name
    if not path.exists():
        raise NotFound(f"{name} is not in {build_dir()}: build the project, or set EXTPROC_BUILD_DIR")
    return path


def envoy() -> str:
    """Envoy: ENVOY, what scripts/envoy_path.sh prints, or the one in the build folder's virtual environment."""
    if os.environ.get("ENVOY"):
        return os.environ["ENVOY"]
    script = REPOSITORY / "scripts" / "envoy_path.sh"
    if script.exists():
        found = subprocess.run([script], capture_output=True, text=True, check=False)
        if found.returncode == 0 and found.stdout.strip():
            return found.stdout.strip()
    fallback = REPOSITORY / "build" / "venv" / "bin" / "envoy"
    if fallback.exists():
        return str(fallback)
    raise NotFound("no Envoy found: set ENVOY to one, or run `make install`")


def tool(name: str) -> str:
    """A tool of scripts/tools, or one on the PATH."""
    local = REPOSITORY / "build" / "go" / "bin" / name
    if local.exists():
        return str(local)
    found = shutil.which(name)
    if found is None:
        raise NotFound(f"{name} is neither in build/go/bin nor on the PATH: run `make install`")
    return found
