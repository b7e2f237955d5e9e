"""What the figures depend on: the machine, and the versions of what was measured."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from harness import paths

from lib.servers import PEERS


def facts() -> dict[str, str]:
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "memory_gib": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f}",
        "kernel": platform.release().partition("-")[0],
        "compiler": _first_line([os.environ.get("CXX", "g++"), "--version"]),
        "envoy": _envoy(),
        "nghttp2": _first_line(["pkg-config", "--modversion", "libnghttp2"]),
        "openssl": _first_line(["pkg-config", "--modversion", "openssl"]),
        "grpc++": _first_line(["pkg-config", "--modversion", "grpc++"]),
        "tonic": _pinned(PEERS / "tonic" / "Cargo.lock", r'name = "tonic"\nversion = "([^"]+)"'),
        "grpc-go": _pinned(PEERS / "go" / "go.mod", r"google.golang.org/grpc v(\S+)"),
        "grpcio": _pinned(PEERS / "python" / "requirements.txt", r"grpcio==(\S+)"),
        "rustc": _first_line(["rustc", "--version"]),
        "go": _first_line(["go", "version"]),
        "commit": commit(paths.REPOSITORY),
    }


def commit(tree: Path) -> str:
    return _first_line(["git", "-C", str(tree), "describe", "--always", "--dirty"])


def _cpu_model() -> str:
    match = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match.group(1) if match else platform.machine()


def _envoy() -> str:
    try:
        text = _first_line([paths.envoy(), "--version"])
    except paths.NotFound:
        return "missing"
    version = re.search(r"/(\d+\.\d+\.\d+)", text)
    return version.group(1) if version else "unknown"


def _first_line(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return "missing"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return lines[0].strip() if done.returncode == 0 and lines else "missing"


def _pinned(file: Path, pattern: str) -> str:
    match = re.search(pattern, file.read_text())
    return match.group(1) if match else "unknown"
