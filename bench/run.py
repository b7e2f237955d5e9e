#!/usr/bin/env python3
"""Measures extproc against a bare nghttp2 server and its peers, or against itself as another tree has it.

bench/run.py [--quick | --record] [--only NAME]... [--servers NAME,...] [--out FOLDER]
bench/run.py --beside TREE [--quick] [--only NAME]... [--out FOLDER]

Progress goes to standard error, the tables and the goals to standard output, results and plots to the folder. What is
measured, and how: docs/performance.md.
"""

import argparse
import importlib
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
from lib import beside, machine, plan, plots, record, report, servers  # noqa: E402
from lib.errors import BenchError, Missing, WrongAnswer  # noqa: E402
from lib.goals import GOALS  # noqa: E402
from lib.loads import Messages  # noqa: E402
from lib.options import parse  # noqa: E402
from lib.results import Results  # noqa: E402
from lib.session import Session  # noqa: E402
from lib.table import Table  # noqa: E402


def run(options: argparse.Namespace, folder: Path) -> Session:
    launcher = Launcher(folder)
    scale = plan.QUICK if options.quick else plan.FULL
    session = Session(launcher, beside.scale(scale) if options.beside else scale, Messages(folder))
    try:
        session.say("building; the first time takes minutes")
        servers.configure()
        servers.cmake_target("bench_load", "bench/load/bench_load")
        servers.cmake_target("echo_upstream", "echo_upstream")
        session.build(options.servers)
        for name in options.only:
            importlib.import_module(f"lib.measure.{name}").measure(session)
    finally:
        launcher.stop_all()
    return session


def write(session: Session, options: argparse.Namespace) -> None:
    results = Results(session.samples)
    tables = report.tables(results, session.missing)
    goals = [goal.check(results) for goal in GOALS]
    facts = machine.facts()
    save(session, options, tables, machine=facts, goals=[outcome.to_json() for outcome in goals])
    plots.write_all(results, options.out)
    if options.record:
        record.record(facts, tables, goals, session.missing, options.out)

    tell(session, tables)
    print(f"\nGoals (ours / theirs: medians of paired rounds, with 95 % bootstrap intervals){caveat(options)}")
    for outcome in goals:
        print(outcome.line())
    print(f"\nresults.json, tables.md and the plots are in {options.out}")


def write_beside(session: Session, options: argparse.Namespace) -> None:
    tables = [beside.table(Results(session.samples), options.beside)]
    save(session, options, tables, machine=machine.facts(), beside=beside.title(options.beside))
    tell(session, tables)
    print(f"results.json and tables.md are in {options.out}{caveat(options)}")
    if session.missing:
        raise BenchError("one of the two servers takes no part, or did not to the end: its reason is above")


def save(session: Session, options: argparse.Namespace, tables: list[Table], **facts) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    document = {"quick": options.quick, **facts, **session.to_json()}
    (options.out / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    (options.out / "tables.md").write_text("\n".join(table.to_markdown() for table in tables))


def tell(session: Session, tables: list[Table]) -> None:
    print("\n".join(table.to_text() for table in tables))
    for name, reason in session.missing.items():
        print(f"missing: {name}: {reason}")
    for note in session.notes:
        print(f"note: {note}")


def caveat(options: argparse.Namespace) -> str:
    return ", from a quick run: for a look, not for a claim" if options.quick else ""


def main() -> int:
    options = parse(__doc__.splitlines()[0])
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            session = run(options, Path(folder))
        (write_beside if options.beside else write)(session, options)
    # The harness tells of programs that do not start, or end, as a failed test.
    except (BenchError, Missing, WrongAnswer, NotFound, AssertionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
