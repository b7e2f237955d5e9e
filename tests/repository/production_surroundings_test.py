#!/usr/bin/env python3
"""Of each processor of examples/production at most a tenth is surroundings: lines that are there for the library or for its threads,
whatever the processor does. What would take more of them belongs into the library."""

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "production"
PROCESSORS = {
    "CallLog": ["call_log.cc"],
    "JwtAuth": ["jwt_auth.cc"],
    "Idempotency": ["idempotency.cc", "idempotency_store.cc", "idempotency_store.h"],
    "AiGateway": ["ai_gateway.cc"],
}
LARGEST_SHARE = 0.1
# What else a file takes of the standard library, and what it overrides, is the processor's own work.
SURROUNDINGS = re.compile(
    "|".join([
        r'#\s*(pragma|include\s*["<]extproc/)',
        r"(inline )?namespace\b|using namespace\b|\}\s*// namespace",
        r"EXTPROC_EXPORT",
        # Threads and event loops, and what they wait with.
        r"#\s*include <(atomic|condition_variable|mutex|semaphore|shared_mutex|stop_token|thread|boost/asio/.*)>",
        r".*\b(std::(j?thread|\w*mutex|condition_variable\w*|\w+_lock|lock_guard|stop_\w+)|io_context|co_spawn)\b",
    ])
)  # fmt: skip


def shares(lines: list[str]) -> tuple[int, int]:
    """How many lines of code there are, and how many of them are surroundings."""
    code = [line.strip() for line in lines if line.strip() and not line.strip().startswith("//")]
    return len(code), sum(bool(SURROUNDINGS.match(line)) for line in code)


def main() -> None:
    faults = []
    unknown = {path.name for path in FOLDER.iterdir() if path.suffix in (".cc", ".h")} - {file for files in PROCESSORS.values() for file in files}
    if unknown:
        faults.append(f"{', '.join(sorted(unknown))}: this test knows no processor that it is of")
    for name, files in PROCESSORS.items():
        code, around = shares([line for file in files for line in (FOLDER / file).read_text().splitlines()])
        print(f"{name}: {around} of {code} lines are surroundings, {around / code:.1%}")
        if around > LARGEST_SHARE * code:
            faults.append(f"{name}: {around} of {code} lines are surroundings, more than {LARGEST_SHARE:.0%}: let the library take them over")
    if faults:
        sys.exit("error: examples/production: " + "\n".join(faults))


if __name__ == "__main__":
    main()
