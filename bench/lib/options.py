"""What bench/run.py is told."""

import argparse
import os
from pathlib import Path

from harness.paths import REPOSITORY

from lib import beside, plan, servers

_RESULTS = REPOSITORY / "build" / "bench"


def parse(about: str, arguments: list[str] | None = None) -> argparse.Namespace:
    """Ends the program where they make no sense. `servers` are Servers then."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", default=os.environ.get("QUICK", "") not in ("", "0"))
    parser.add_argument("--only", action="append", choices=plan.MEASUREMENTS, help="may be given several times")
    parser.add_argument("--servers", help=f"of {','.join(server.name for server in servers.ALL)}; all, if not given")
    parser.add_argument(
        "--beside",
        type=beside.built_tree,
        metavar="TREE",
        help="compare with the server of another tree of this project, as it is built there",
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/performance.md, and the plots beside it"
    )
    options = parser.parse_args(arguments)
    if options.record and options.quick:
        parser.error("--record takes a full run: no QUICK=1")
    if options.beside:
        _refuse_beside(parser, options)
    options.servers = (
        [servers.EXTPROC, beside.server(options.beside)] if options.beside else _chosen(parser, options.servers)
    )
    options.only = options.only or (list(beside.FIGURES) if options.beside else list(plan.MEASUREMENTS))
    options.out = options.out or _RESULTS / ("beside" if options.beside else "results")
    return options


def _refuse_beside(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.record:
        parser.error("--record writes down how extproc compares with its peers: not with --beside")
    if options.servers:
        parser.error("--beside compares the servers of two trees, and no others: not with --servers")
    for name in options.only or ():
        if name not in beside.FIGURES:
            parser.error(f"--only {name} does not compare two trees: with --beside it is {', '.join(beside.FIGURES)}")


def _chosen(parser: argparse.ArgumentParser, names: str | None) -> list[servers.Server]:
    known = {server.name: server for server in servers.ALL}
    wanted = names.split(",") if names else list(known)
    for name in wanted:
        if name not in known:
            parser.error(f"--servers: there is no {name}, only {', '.join(known)}")
    return [server for server in servers.ALL if server.name in wanted]
