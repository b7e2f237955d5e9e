"""How often a stream that is handled synchronously calls operator new, once everything is warm."""

import subprocess

from lib import servers
from lib.session import Session

NAME = "allocations"


def measure(session: Session) -> None:
    if "extproc" not in session.commands:
        return
    program = servers.cmake_target("bench_instructions", "bench/instructions/bench_instructions")
    printed = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    for item, count in (line.split("\t") for line in printed.splitlines()):
        session.add(NAME, item, "extproc", 0, operator_new=float(count))
