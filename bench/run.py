#!/usr/bin/env python3
"""Measures extproc against a bare nghttp2 server and its peers.

bench/run.py [--quick | --record] [--only NAME]... [--servers NAME,...] [--out FOLDER]

Progress goes to standard error, the tables and the goals to standard output, results and plots to the folder. What is
measured, and how: docs/performance.md.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "integration")]
# Forks of the load generators are no business of grpcio's, which the conformance check uses.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from harness.paths import NotFound  # noqa: E402
from harness.processes import Launcher  # noqa: E402
from lib import machine, plan, plots, record, report, servers  # noqa: E402
from lib.errors import BenchError, Missing, WrongAnswer  # noqa: E402
from lib.goals import GOALS  # noqa: E402
from lib.loads import Messages  # noqa: E402
from lib.measure import advice, allocations, bodies, build, direct, envoy, growth, memory, six  # noqa: E402
from lib.results import Results  # noqa: E402
from lib.session import Session  # noqa: E402

MEASUREMENTS = {
    module.NAME: module for module in (direct, envoy, bodies, memory, growth, six, advice, allocations, build)
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", default=os.environ.get("QUICK", "") not in ("", "0"))
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS), help="may be given several times")
    parser.add_argument("--servers", default=",".join(server.name for server in servers.ALL))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "results")
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/performance.md, and the plots beside it"
    )
    options = parser.parse_args()
    if options.record and options.quick:
        parser.error("--record takes a full run: no QUICK=1")
    return options


def run(options: argparse.Namespace, folder: Path) -> Session:
    launcher = Launcher(folder)
    session = Session(launcher, plan.QUICK if options.quick else plan.FULL, Messages(folder))
    try:
        session.say("building; the first time takes minutes")
        servers.configure()
        servers.cmake_target("bench_load", "bench/load/bench_load")
        servers.cmake_target("echo_upstream", "echo_upstream")
        session.build(options.servers.split(","))
        for name in options.only or MEASUREMENTS:
            MEASUREMENTS[name].measure(session)
    finally:
        launcher.stop_all()
    return session


def write(session: Session, options: argparse.Namespace) -> None:
    results = Results(session.samples)
    tables = report.tables(results, session.missing)
    goals = [goal.check(results) for goal in GOALS]
    options.out.mkdir(parents=True, exist_ok=True)
    outcomes = [outcome.to_json() for outcome in goals]
    facts = machine.facts()
    document = {"machine": facts, "quick": options.quick, "goals": outcomes, **session.to_json()}
    (options.out / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (options.out / "tables.md").write_text("\n".join(table.to_markdown() for table in tables))
    plots.write_all(results, options.out)
    if options.record:
        record.record(facts, tables, goals, session.missing, options.out)

    print("\n".join(table.to_text() for table in tables))
    for name, reason in session.missing.items():
        print(f"missing: {name}: {reason}")
    for note in session.notes:
        print(f"note: {note}")
    print(
        "\nGoals (ours / theirs: medians of paired rounds, with 95 % bootstrap intervals)"
        + (", from a quick run: for a look, not for a claim" if options.quick else "")
    )
    for outcome in goals:
        print(outcome.line())
    print(f"\nresults.json, tables.md and the plots are in {options.out}")


def main() -> int:
    options = parse()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            session = run(options, Path(folder))
        write(session, options)
    # The harness tells of programs that do not start, or end, as a failed test.
    except (BenchError, Missing, WrongAnswer, NotFound, AssertionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
