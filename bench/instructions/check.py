#!/usr/bin/env python3
"""Counts the instructions and the calls of operator new of bench_instructions: check.py [--check] [--record]

--check compares with budget.json and fails above it (+1 % for instructions, nothing for operator new); --record writes a
new budget. The counts depend on the compiler and the libraries, so the budget is that of Debian 12's; glibc chooses its string
functions by the processor's features, so those that differ between machines are switched off while counting.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUDGET = Path(__file__).with_name("budget.json")
PROGRAM = ROOT / "build" / "release" / "bench" / "instructions" / "bench_instructions"
TIMES = 1000
TOLERANCE_PERCENT = 1
TUNABLES = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-ERMS,-FSRM,-RTM"
# An average of allocations that are not there in each of the times is one of a container that still grew.
ALLOCATION_NOISE = 0.05


def allocations() -> dict[str, float]:
    lines = subprocess.run([PROGRAM, str(TIMES)], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: round(float(count), 3) for name, count in (line.split("\t") for line in lines)}


def instructions() -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        command = [
            "valgrind",
            "--tool=callgrind",
            "--collect-atstart=no",
            f"--callgrind-out-file={out}",
            PROGRAM,
            str(TIMES),
        ]
        environment = {**os.environ, "GLIBC_TUNABLES": TUNABLES}
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=environment)
        if run.returncode != 0:
            sys.exit(f"error: valgrind failed: {run.stderr[-2000:]}")
        return dict(counted for dump in sorted(Path(folder).iterdir()) if (counted := _read(dump)))


def _read(dump: Path) -> tuple[str, int] | None:
    text = dump.read_text()
    name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
    total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
    return (name.group(1), round(int(total.group(1)) / TIMES)) if name and total else None


def count() -> dict[str, dict]:
    news = allocations()
    return {name: {"instructions": number, "operator_new": news[name]} for name, number in instructions().items()}


def over_budget(counted: dict[str, dict]) -> list[str]:
    budget = json.loads(BUDGET.read_text())
    problems = [f"{name} is in only one of the budget and the program" for name in budget.keys() ^ counted.keys()]
    for name in budget.keys() & counted.keys():
        now, allowed = counted[name], budget[name]
        limit = allowed["instructions"] * (1 + TOLERANCE_PERCENT / 100)
        if now["instructions"] > limit:
            problems.append(
                f"{name}: {now['instructions']} instructions, over the budget of {allowed['instructions']} + {TOLERANCE_PERCENT} %"
            )
        if now["operator_new"] > allowed["operator_new"] + ALLOCATION_NOISE:
            problems.append(
                f"{name}: operator new is called {now['operator_new']} times, not {allowed['operator_new']}"
            )
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    counted = count()
    for name, counts in counted.items():
        print(f"{name:28} {counts['instructions']:>8} instructions {counts['operator_new']:>8} operator new")
    if options.record:
        BUDGET.write_text(json.dumps(counted, indent=1) + "\n")
    problems = over_budget(counted) if options.check else []
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        print(
            "To raise the budget on purpose: scripts/bench_instructions.sh --record, and say why in the commit.",
            file=sys.stderr,
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
