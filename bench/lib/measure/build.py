"""What a user pays to build: the same few lines on the SDK and on grpc++, and what the programs are then."""

import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

from harness.paths import REPOSITORY

from lib.errors import BenchError
from lib.servers import OUT, PROGRAMS
from lib.session import Session

NAME = "build"
_FLAGS = ["-std=c++20", "-O2"]
_GENERATED = PROGRAMS / "bench" / "peers" / "grpcpp" / "generated"


def measure(session: Session) -> None:
    compiler = os.environ.get("CXX", "g++")
    for turn in session.rounds(session.scale.compiles, "build"):
        if "extproc" in session.commands:
            _measure_extproc(session, compiler, turn)
        if "grpcpp" in session.commands:
            _measure_grpcpp(session, compiler, turn)
    for name, command in session.commands.items():
        _measure_program(session, name, Path(command[0]))


def _measure_extproc(session: Session, compiler: str, turn: int) -> None:
    source = REPOSITORY / "bench" / "extproc" / "ten_lines.cc"
    libraries = [PROGRAMS / "src" / "libextproc.a", *_packages("--libs", "libnghttp2"), "-pthread", "-ldl"]
    command = [compiler, *_FLAGS, f"-I{REPOSITORY / 'include'}", source, *libraries]
    _time_program(session, "ten lines", "extproc", turn, command)


def _measure_grpcpp(session: Session, compiler: str, turn: int) -> None:
    source = REPOSITORY / "bench" / "peers" / "grpcpp" / "ten_lines.cc"
    flags = [*_FLAGS, f"-I{_GENERATED}", *_packages("--cflags", "grpc++", "protobuf")]
    times = _time([compiler, *flags, "-c", source, "-o", OUT / "ten_lines_grpcpp.o"])
    session.add(NAME, "ten lines, own source alone", "grpcpp", turn, **times)
    if session.scale.whole_grpcpp_compile and turn == 0:
        generated = sorted(_GENERATED.rglob("*.pb.cc"))
        _time_program(
            session,
            "ten lines",
            "grpcpp",
            turn,
            [compiler, *flags, source, *generated, *_packages("--libs", "grpc++", "protobuf")],
        )
    elif not session.scale.whole_grpcpp_compile:
        session.notes.append("build: the generated code that grpc++ needs is compiled in a full run only")


def _time_program(session: Session, case: str, name: str, turn: int, command: list) -> None:
    program = OUT / f"ten_lines_{name}"
    session.add(NAME, case, name, turn, **_time([*command, "-o", program]), **_facts(program))


def _measure_program(session: Session, name: str, program: Path) -> None:
    if name != "python":
        session.add(NAME, "the benchmark's program", name, 0, **_facts(program))


def _facts(program: Path) -> dict[str, float]:
    stripped = OUT / "stripped"
    shutil.copy(program, stripped)
    subprocess.run(["strip", stripped], check=False)
    needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    libraries = [line for line in needed.splitlines() if "=>" in line]
    return {"binary_bytes": stripped.stat().st_size, "shared_libraries": len(libraries)}


def _packages(what: str, *names: str) -> list[str]:
    return subprocess.run(["pkg-config", what, *names], capture_output=True, text=True, check=True).stdout.split()


def _time(command: list) -> dict[str, float]:
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"does not compile: {' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": time.monotonic() - start, "cpu_s": cpu}
