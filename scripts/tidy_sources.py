#!/usr/bin/env python3
"""Prints the sources that clang-tidy has to read, one a line: all, or with --changed those that changed since the commit in
.ci/tidy_base, and those that include what changed. All of them as well where that commit is missing, or where what clang-tidy
goes by has changed."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

FOLDERS = ("src", "examples")
INCLUDED_FROM = ("include", "src", "examples")
BASE = Path(".ci/tidy_base")
# What a finding may depend on besides the sources.
GOES_BY = (".clang-tidy", "CMakeLists.txt", "CMakePresets.json", "cmake/", "scripts/packages.sh", "scripts/tidy_")
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def git(*arguments: str) -> list[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def tracked() -> list[str]:
    names = git("ls-files", "--cached", "--others", "--exclude-standard", "--", *INCLUDED_FROM)
    return [name for name in names if name.endswith((".cc", ".h")) and Path(name).exists()]


def changed() -> set[str] | str:
    """The names, or why all have to be read."""
    if not BASE.exists():
        return f"{BASE} is missing"
    base = BASE.read_text().strip()
    try:
        names = set(git("diff", "--name-only", base, "--")) | set(git("ls-files", "--others", "--exclude-standard"))
    except subprocess.CalledProcessError:
        return f"the commit {base} of {BASE} is missing"
    everything = sorted(
        name for name in names if name.startswith(GOES_BY) or (name.startswith(FOLDERS) and name.endswith("/CMakeLists.txt"))
    )
    return f"{everything[0]} has changed since {base}" if everything else names


def includers(files: list[str]) -> dict[str, set[str]]:
    """By file, who includes it."""
    known = set(files)
    found: dict[str, set[str]] = {}
    for file in files:
        for included in INCLUDE.findall(Path(file).read_text()):
            for candidate in (str(Path(file).parent / included), *(f"{folder}/{included}" for folder in INCLUDED_FROM)):
                if candidate in known:
                    found.setdefault(candidate, set()).add(file)
    return found


def with_dependents(names: set[str], files: list[str]) -> set[str]:
    by_included = includers(files)
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += by_included.get(name, ())
    return reached


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changed", action="store_true", help="only what changed since .ci/tidy_base")
    options = parser.parse_args()
    files = tracked()
    sources = {name for name in files if name.endswith(".cc") and name.startswith(FOLDERS)}
    if options.changed:
        names = changed()
        if isinstance(names, str):
            print(f"==> all sources are read: {names}", file=sys.stderr)
        else:
            sources &= with_dependents(names, files)
    print("\n".join(sorted(sources)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
