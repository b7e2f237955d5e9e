"""How many instructions a request takes of Envoy and what it loads, by valgrind's callgrind: a figure that repeats, where
microseconds do not."""

import http.client
import re
import shutil
import subprocess
from pathlib import Path

from harness.processes import eventually

from lib.errors import BenchError, WrongAnswer
from lib.measure import inside
from lib.plan import INSIDE_NONE
from lib.session import Session

NAME = "inside_instructions"
_REQUESTS = 300
# Until pools, caches and buffers are there.
_WARM_UP = 100


def measure(session: Session) -> None:
    if "extproc" not in session.commands or not session.scale.counts_instructions:
        return
    if shutil.which("valgrind") is None:
        session.exclude(NAME, "no valgrind command: scripts/install.sh instructions, then make bench again")
        return
    inside.build()
    for case in inside.CASES:
        session.say(f"{NAME}, {case.name}: Envoy under valgrind")
        _measure(session, case)


def _measure(session: Session, case: inside.Case) -> None:
    out = session.launcher.folder / f"callgrind-{case.name.replace(' ', '-')}"
    # The package's command of Envoy is a script that becomes Envoy.
    tool = ("valgrind", "--tool=callgrind", "--trace-children=yes", "--instr-atstart=no", f"--callgrind-out-file={out}")
    envoy, server = inside.start(session, case, tool)
    try:
        counted = {}
        for number, (way, port) in enumerate(inside.ports_of(envoy).items(), start=1):
            _ask(port, case, _WARM_UP)
            _control(envoy.pid, "--instr=on")
            _ask(port, case, _WARM_UP)
            _control(envoy.pid, "--zero")
            _ask(port, case, _REQUESTS)
            _control(envoy.pid, "--dump")
            _control(envoy.pid, "--instr=off")
            counted[way] = _total(out.with_name(f"{out.name}.{number}")) / _REQUESTS
    finally:
        envoy.stop()
        server.stop()
    for way, count in counted.items():
        session.add(NAME, case.name, way, 0, instructions=count, added_instructions=count - counted[INSIDE_NONE])


def _ask(port: int, case: inside.Case, times: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = b"a" * case.body_bytes or None
    for _ in range(times):
        connection.request("POST" if body else "GET", "/", body=body)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise WrongAnswer(f"{case.name}: Envoy answered {answer.status}")
    connection.close()


def _control(pid: int, what: str) -> None:
    done = subprocess.run(["callgrind_control", what, str(pid)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise BenchError(f"callgrind_control {what}: {(done.stdout + done.stderr)[-800:]}")


def _total(dump: Path) -> int:
    def read() -> re.Match | None:
        return dump.exists() and re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)

    return int(eventually(read, f"callgrind's {dump.name}", 20)[1])
