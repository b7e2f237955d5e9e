#!/usr/bin/env python3
"""Builds the servers and checks that each answers right: check.py [server]...  Nothing is measured."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "integration")]
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from harness.processes import Launcher  # noqa: E402
from lib import conformance, servers  # noqa: E402
from lib.errors import Missing, WrongAnswer  # noqa: E402
from lib.splitter import splitter  # noqa: E402

# Sizes of the pieces that a server gets its bytes in besides: messages and frames are split everywhere then.
VARIANTS = {"headers": 1, "buffered": 4001, "streamed": 1009, "fds": 1009}


def check(server: servers.Server, launcher: Launcher) -> bool:
    try:
        command = server.build()
    except Missing as missing:
        print(f"{server.name:8} missing: {missing}")
        return True
    good = True
    for variant, piece in VARIANTS.items():
        for unix in (False, True):
            running = servers.start(launcher, server.name, command, variant, unix=unix)
            try:
                conformance.check(server.name, running.endpoint, variant)
                if not unix:
                    with splitter(running.endpoint, piece) as port:
                        conformance.check(f"{server.name}, in pieces", port, variant)
            except WrongAnswer as wrong:
                print(f"{server.name:8} WRONG {wrong}")
                good = False
            finally:
                running.stop()
    print(f"{server.name:8} {'answers right' if good else 'is wrong'}")
    return good


def main() -> int:
    wanted = sys.argv[1:] or [server.name for server in servers.ALL]
    servers.configure()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        launcher = Launcher(Path(folder))
        try:
            results = [check(server, launcher) for server in servers.ALL if server.name in wanted]
        finally:
            launcher.stop_all()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
