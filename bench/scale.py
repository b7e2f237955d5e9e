#!/usr/bin/env python3
"""Measures replicas of a processor behind one Envoy: scale.py [--only NAME]... [--out FOLDER]

Progress goes to standard error, the tables to standard output, tables.md and results.json to the folder. What is measured, and what
it means: docs/scaling.md. Exits with 1 where a request is lost that should not be.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "integration")]
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from harness.processes import Launcher  # noqa: E402
from lib import machine  # noqa: E402
from lib.errors import BenchError  # noqa: E402
from lib.scale import experiments  # noqa: E402

ALL = {one.__name__: one for one in experiments.ALL}


def main() -> None:
    # What was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("error: ended by SIGTERM"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", action="append", choices=ALL, help="one of the experiments; may be repeated")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "scale")
    options = parser.parse_args()
    tables, results, wrong = [], {"machine": machine.facts()}, []
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        for name in options.only or ALL:
            print(f"==> {name}: {ALL[name].__doc__.splitlines()[0]}", file=sys.stderr, flush=True)
            launcher = Launcher(Path(folder))
            try:
                table, results[name] = ALL[name](launcher)
            except BenchError as error:
                wrong.append(f"{name}: {error}")
                print(f"    {error}", file=sys.stderr, flush=True)
                continue
            finally:
                launcher.stop_all()
            tables.append(table)
            print(table.to_text(), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "tables.md").write_text("\n".join(table.to_markdown() for table in tables))
    (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(f"tables.md and results.json are in {options.out}")
    if wrong:
        sys.exit("error: " + "; ".join(wrong))


main()
