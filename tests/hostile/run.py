#!/usr/bin/env python3
"""Attacks on the server, with thresholds: run.py [--short] [NAME or GROUP]...

Exit status 0: every threshold held; 1: one is broken, or an attack could not end. The build is that of EXTPROC_BUILD_DIR, or
build/release. tests/hostile/README.md has more.
"""

import argparse
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "hostile"), str(ROOT / "tests" / "integration")]

from lib import attack, program  # noqa: E402

# More than all attacks take when everything is as slow as it may be.
MINUTES = 15.0


class TooLong(Exception):
    """The attack's time, or that of all of them, is over."""


def parse(attacks: dict[str, attack.Attack]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="an attack, or a group of them; none: all")
    parser.add_argument("--short", action="store_true", help="small sizes, and no thresholds of time")
    parser.add_argument(
        "--sanitized", action="store_true", help="the build has a sanitizer: small sizes, no times, nothing resident"
    )
    parser.add_argument("--list", action="store_true", help="tell the attacks")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"the most that all may take ({MINUTES:g})")
    parser.add_argument("--first-port", type=int, help="listen from there on; else on ports that the system chooses")
    options = parser.parse_args()
    known = set(attacks) | set(attack.GROUPS)
    for name in options.names:
        if name not in known:
            parser.error(f"no such attack: {name}; --list tells them")
    return options


def chosen(attacks: dict[str, attack.Attack], options: argparse.Namespace) -> list[attack.Attack]:
    def asked_for(one: attack.Attack) -> bool:
        return not options.names or one.name in options.names or one.name.partition(".")[0] in options.names

    return [one for one in attacks.values() if asked_for(one) and (one.short or not (options.short or options.sanitized))]


def say(text: str) -> None:
    print(text, flush=True)


def perform(one: attack.Attack, options: argparse.Namespace, seconds: float) -> list[str]:
    """Which thresholds are broken."""
    run = attack.Run(not options.short, options.sanitized, say)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.1))
    try:
        one.function(run)
        if run.checked == 0:
            run.broken.append("nothing was checked")
    except TooLong:
        run.broken.append(f"not over after {seconds:.0f} s")
    # An attack that the server has ended where it may not, or a program that did not start.
    except Exception as error:  # noqa: BLE001
        run.broken.append(f"{type(error).__name__}: {error}")
        say(traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        run.close()
    return run.broken


def main() -> int:
    attacks = attack.load()
    options = parse(attacks)
    if options.list:
        for one in attacks.values():
            say(f"{one.name:28} {'' if one.short else '(full form only) '}{one.about}")
        return 0

    def too_long(_number, _frame):
        raise TooLong

    signal.signal(signal.SIGALRM, too_long)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    program.take_ports_from(options.first_port)
    started = time.monotonic()
    rows = []
    todo = chosen(attacks, options)
    for number, one in enumerate(todo, start=1):
        say(f"[{number}/{len(todo)}] {one.name}: {one.about}")
        before = time.monotonic()
        left = options.minutes * 60 - (before - started)
        broken = perform(one, options, min(left, one.seconds))
        took = time.monotonic() - before
        say(f"   {'BROKEN' if broken else 'held'} in {took:.1f} s")
        rows.append((one.name, broken, took))
    say("")
    for name, broken, took in rows:
        say(f"{name:28} {took:5.1f} s  {'held' if not broken else 'BROKEN'}")
        for line in broken:
            say(f"{'':28}          {line}")
    failed = sum(1 for _, broken, _ in rows if broken)
    say(f"{len(rows) - failed} of {len(rows)} attacks held, in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    sys.exit(main())
