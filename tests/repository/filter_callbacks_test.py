#!/usr/bin/env python3
"""What is declared of Envoy's ABI is asked for before a configuration is taken, so that nothing calls what an Envoy lacks."""

import re
import sys
from pathlib import Path

FILTER = Path(__file__).resolve().parents[2] / "src" / "filter"


def main() -> int:
    declared = set(re.findall(r"EXTPROC_ENVOY\([^,]+, (\w+)\)", (FILTER / "abi.h").read_text())) - {"name"}
    needed = set(re.findall(r"EXTPROC_NEED\((\w+)\);", (FILTER / "callbacks.cc").read_text()))
    called = {name for path in FILTER.glob("*.cc") for name in re.findall(r"EXTPROC_ENVOY_CALL\((\w+)\)", path.read_text())} - {"name"}
    errors = [f"callbacks.cc does not ask for {name}" for name in sorted(declared - needed)]
    errors += [f"abi.h does not declare {name}" for name in sorted((called | needed) - declared)]
    errors += [f"nothing calls {name}" for name in sorted(declared - called)]
    for error in errors:
        print(f"error: src/filter: {error}", file=sys.stderr)
    return 1 if errors or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
