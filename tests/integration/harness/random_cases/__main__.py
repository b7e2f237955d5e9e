"""Plays random cases: python -m harness.random_cases SEED COUNT [FIRST]. Ends with 1 where something differs."""

import sys
import time

from harness.random_cases import compare, make, report, shrink


# So many differences are worth the time.
MOST_SHRUNK = 20
# A run of so many cases aims at each cell at least once. Where chance kept it from some, it plays what else the seed aims at them,
# up to so many cases on.
LARGE = 2 * len(make.TARGETS)
FURTHER = 20 * len(make.TARGETS)


def main(seed: str, count: int, first: int = 0) -> int:
    found = compare.Found()
    began = time.monotonic()

    def check(numbers: list[int], of: int) -> None:
        for start in range(0, len(numbers), compare.BATCH):
            compare.check([make.case(seed, number) for number in numbers[start : start + compare.BATCH]], found, say=_say)
            rate = found.played / (time.monotonic() - began)
            told = f"{len(found.differences)} differ, {len(found.races)} races, {len(found.crashes)} crashes of Envoy itself"
            _say(f"{found.played} of {of} played, {told}, {rate:.0f} a second")

    end = first + count
    check(list(range(first, end)), count)
    if count >= LARGE and (missed := set(make.TARGETS) - found.reached):
        further = [number for number in range(end, end + FURTHER) if make.target(seed, number) in missed]
        _say(f"{len(missed)} cells were not reached: playing {len(further)} further cases that aim at them")
        check(further, count + len(further))
    smallest = shrink.shrink([both.case for both in found.differences[:MOST_SHRUNK]], _differ)
    for both in compare.play(smallest):
        _say("\n" + report.difference(both))
    for both in found.differences[MOST_SHRUNK:]:
        _say(f"\n{report.as_yaml(both.case)}")
    for case in found.crashes:
        _say(f"Envoy itself crashes: {report.as_yaml(case)}")
    for case in found.races:
        _say(f"a race of Envoy's own: {report.as_yaml(case)}")
    if found.hurried:
        _say(f"{found.hurried} cases differed once, and were alike when played alone")
    _say(report.coverage(found))
    return 1 if found.differences else 0


def _differ(cases: list[dict]) -> list[bool]:
    """Each that differed once is asked again, with fewer at a time."""
    differing = [bool(both.differing) for both in compare.play(cases)]
    again = iter(compare.play([case for case, yes in zip(cases, differing, strict=True) if yes], at_once=compare.AGAIN[0]))
    return [yes and bool(next(again).differing) for yes in differing]


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(str(__doc__))
    sys.exit(main(sys.argv[1], *(int(number) for number in sys.argv[2:])))
