#!/usr/bin/env python3
"""docs/limits.md names every member of Limits, with its default where that is a number, and every counter that it speaks of is one."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/limits.md").read_text()
LIMITS = (ROOT / "include/extproc/limits.h").read_text()
SERVER = (ROOT / "include/extproc/server.h").read_text()

WRITTEN = {
    "std::size_t{1} << 20": "1 MiB",
    "std::uint32_t{1} << 20": "1 MiB",
    "std::size_t{4} << 20": "4 MiB",
    "std::size_t{16} << 20": "16 MiB",
    "std::uint32_t{16} << 20": "16 MiB",
    "std::size_t{256} << 20": "256 MiB",
    "std::uint32_t{64} << 10": "64 KiB",
    "800": "800",
    "1'024": "1,024",
    "16'384": "16,384",
    "10'000": "10,000",
    "100'000": "100,000",
}
TIMES = {
    "0": "any (0)",
    "5'000": "5 s",
    "10'000": "10 s",
    "30'000": "30 s",
    "60'000": "1 min",
    "std::chrono::minutes{5}": "5 min",
    "std::chrono::hours{1}": "1 h",
}


def main() -> None:
    faults = []
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    members = re.findall(r"^  (std::[\w:]+) (\w+)(?: = (.+?)|\{(.+)\});$", LIMITS, re.MULTILINE)
    if len(members) < 15:
        faults.append(f"only {len(members)} members of Limits were found: this test reads the header no more")
    for kind, name, value, time in members:
        row = next((line for line in rows if re.search(rf"`(Limits::)?{name}`", line.split("|")[1])), None)
        if row is None:
            faults.append(f"{kind} {name} has no row")
        elif name != "memory_bytes" and (WRITTEN.get(value) or TIMES.get(time, "?")) not in row:
            faults.append(f"{name} is {value or time} by default, and its row does not say so: {row}")
    told = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[4])}
    faults += [f"`{name}` is no counter of Stats" for name in sorted(told) if not re.search(rf"\b{name} = 0;", SERVER)]
    if faults:
        sys.exit("error: docs/limits.md: " + "\n".join(faults))


if __name__ == "__main__":
    main()
