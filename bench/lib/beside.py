"""Another tree of this project, whose server is measured beside that of this one."""

import argparse
from dataclasses import replace
from pathlib import Path

from lib import machine
from lib.plan import Scale
from lib.results import Results
from lib.servers import EXTPROC, Server
from lib.table import Table, interval

NAME = "beside"
_SOURCE = Path("bench/extproc/main.cc")
_PROGRAM = Path("build/release/bench/extproc/bench_extproc")
_BUILD = (
    "make build && cmake --preset release -DEXTPROC_BUILD_BENCH=ON"
    " && cmake --build --preset release --target bench_extproc"
)
# What measures every server alike: its figures of CPU, of throughput, of memory.
FIGURES = {
    "direct": ("cpu_us_per_stream", "streams_per_s", None),
    "envoy": ("cpu_us_per_request", "requests_per_s", None),
    "bodies": ("cpu_s_per_gib", "mib_per_s", None),
    "memory": (None, None, "bytes_per_stream"),
    "growth": ("cpu_us_per_stream", "streams_per_s", None),
}


def built_tree(text: str) -> Path:
    """The folder of that path, if it is a tree whose server is built; for argparse."""
    tree = Path(text).resolve()
    if not tree.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {tree}: name a clone of extproc with its build folder")
    if not (tree / _SOURCE).is_file():
        raise argparse.ArgumentTypeError(
            f"{tree} is not a tree of extproc, it has no {_SOURCE}: name the top of a clone"
        )
    if not (tree / _PROGRAM).is_file():
        raise argparse.ArgumentTypeError(f"{tree} has no {_PROGRAM}; to build it: cd {tree} && {_BUILD}")
    return tree


def server(tree: Path) -> Server:
    return Server(NAME, f"extproc of {title(tree)}", lambda: [tree / _PROGRAM])


def title(tree: Path) -> str:
    return f"{tree}, commit {machine.commit(tree)}"


def scale(plain: Scale) -> Scale:
    """Memory in pairs too, since a ratio of one pair has no interval."""
    return replace(plain, memory_rounds=plain.growth_rounds, growth_servers=(EXTPROC.name, NAME))


def table(results: Results, tree: Path) -> Table:
    rows = []
    for measurement, figures in FIGURES.items():
        for case in results.cases(measurement):
            found = [value and results.ratio(measurement, case, EXTPROC.name, NAME, value) for value in figures]
            if any(found):
                pairs = next(estimate.count for estimate in found if estimate)
                rows.append([f"{measurement}, {case}", str(pairs), *map(interval, found)])
    return Table(
        f"This tree / {title(tree)}: medians of paired rounds, and their 95 % intervals",
        ["load", "pairs", "CPU", "throughput", "memory of an idle stream"],
        rows,
    )
