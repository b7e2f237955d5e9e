"""Puts the figures of a run into docs/performance.md, and its plots where that page and the README show them."""

import re
import shutil
from pathlib import Path

from harness.paths import REPOSITORY

from lib.goals import Outcome
from lib.table import Table

PAGE = REPOSITORY / "docs" / "performance.md"
FIGURES = REPOSITORY / "docs" / "figures"
_PART = re.compile(r"(<!-- figures -->\n).*(<!-- /figures -->)", re.DOTALL)
_FACTS = (
    "cpu",
    "cores",
    "memory_gib",
    "kernel",
    "compiler",
    "envoy",
    "nghttp2",
    "openssl",
    "grpc++",
    "tonic",
    "grpc-go",
    "grpcio",
    "rustc",
    "go",
)


def record(
    machine: dict[str, str], tables: list[Table], outcomes: list[Outcome], missing: dict[str, str], out: Path
) -> None:
    FIGURES.mkdir(exist_ok=True)
    plots = sorted(out.glob("*.svg"))
    for plot in plots:
        shutil.copy(plot, FIGURES / plot.name)
    facts = ", ".join(f"{name} {machine[name]}" for name in _FACTS)
    parts = [
        f"One run, on: {facts}.",
        *(f"Missing: {name}." for name in missing),
        *(table.to_markdown().rstrip() for table in tables),
        "\n".join(f"![](figures/{plot.name})" for plot in plots),
        "**The goals** (ours / theirs)\n\n" + _goals(outcomes),
    ]
    page = PAGE.read_text()
    PAGE.write_text(_PART.sub(lambda part: part.group(1) + "\n\n".join(parts) + "\n" + part.group(2), page))


def _goals(outcomes: list[Outcome]) -> str:
    rows = [
        f"| {outcome.goal.text} | {outcome.sign} {outcome.goal.limit:.3g} | {outcome.figure()} | {outcome.verdict} |"
        for outcome in outcomes
    ]
    return "\n".join(["| goal | limit | measured | |", "|---|---|---|---|", *rows])
