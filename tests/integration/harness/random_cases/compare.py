"""Plays cases by both players, and tells what truly differs: a moment that came too early on a busy machine does not."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness import case_runs, envoy_cases
from harness.case_player import AT_ONCE
from harness.random_cases import circumstances, make, routes, steps
from harness.random_cases.cells import Cell, reached_by

BATCH = 300
# A case that differed is played again, first with few others and then by itself; a difference is what differs each time.
AGAIN = (3, 1, 1)
# What the real Envoy does in more ways than one is a race of its own.
REPEATS = 20


@dataclass
class Both:
    """What came of a case."""

    case: dict
    kit: dict
    # Empty where it crashed.
    envoy: dict

    @property
    def crashed(self) -> bool:
        return not self.envoy

    @property
    def differing(self) -> list[str]:
        return [part for part in self.kit if part != "name" and not self.crashed and self.kit[part] != self.envoy.get(part)]


@dataclass
class Found:
    """What came of many."""

    played: int = 0
    differences: list[Both] = field(default_factory=list)
    races: list[dict] = field(default_factory=list)
    # Cases of which Envoy died.
    crashes: list[dict] = field(default_factory=list)
    # Different once, and alike when played alone.
    hurried: int = 0
    reached: set[Cell] = field(default_factory=set)


def play(cases: list[dict], found: Found | None = None, at_once: int = AT_ONCE) -> list[Both]:
    """Both outcomes of each case, all in one Envoy; where it dies, in one for each half, down to the case of which it does."""
    if not cases:
        return []
    with tempfile.TemporaryDirectory(prefix="extproc-cases-") as folder:
        make.write([{**case, "name": str(number)} for number, case in enumerate(cases)], Path(folder))
        kit = case_runs.in_the_kit(Path(folder))
        loaded = envoy_cases.load(Path(folder))
    try:
        players = case_runs.in_envoy(loaded, at_once)
    except case_runs.EnvoyCrashed:
        if len(cases) > 1:
            middle = len(cases) // 2
            return play(cases[:middle], found, at_once) + play(cases[middle:], found, at_once)
        if found is not None:
            found.played += 1
            found.crashes += cases
        return [Both(cases[0], kit["random.0"], {})]
    if found is not None:
        found.played += len(cases)
        for case in loaded:
            modes = routes.effective_mode(case.data) or {}
            found.reached |= reached_by(modes, circumstances.found_in(case.data), players.answered[case.name])
    names = [f"random.{number}" for number in range(len(cases))]
    return [Both(case, kit[name], players.outcomes[name]) for case, name in zip(cases, names, strict=True)]


def check(cases: list[dict], found: Found, say: Callable[[str], None] = print) -> None:
    """Adds what differs, of one batch."""
    first = play(cases, found)
    for both in first:
        if both.crashed:
            say(f"{both.case['name']}: Envoy itself crashes")
    suspects = [[both] for both in first if both.differing]
    for at_once in AGAIN:
        again = play([_with_an_end(played[-1]) for played in suspects], at_once=at_once)
        crashed = [both.case for both in again if both.crashed]
        for case in crashed:
            say(f"{case['name']}: Envoy itself crashes, now and then")
        found.crashes += crashed
        still = [[*played, both] for played, both in zip(suspects, again, strict=True) if both.differing]
        found.hurried += len(suspects) - len(still) - len(crashed)
        suspects = still
    for played in suspects:
        name = played[0].case["name"]
        if is_race(played[1:]):
            found.races.append(played[0].case)
            say(f"{name}: Envoy itself does now this, now that")
        else:
            found.differences.append(played[-1])
            say(f"{name}: differs in {', '.join(played[-1].differing)}")


def _with_an_end(played: Both) -> dict:
    """Where Envoy was still waiting when the player went away, it gets a time-out that the player waits for."""
    case = played.case
    is_open = not played.envoy["caller"]["complete"] and not played.envoy["caller"]["reset"]
    if not is_open or "message_timeout" in case["filter"]:
        return case
    return {**case, "filter": {**case["filter"], "message_timeout": steps.TIMEOUT}}


def is_race(played: list[Both]) -> bool:
    outcomes = [{**both.envoy, "name": ""} for both in played]
    if all(outcome == outcomes[0] for outcome in outcomes):
        return False
    outcomes += [{**play([played[0].case])[0].envoy, "name": ""} for _ in range(REPEATS - len(outcomes))]
    return any(outcome != outcomes[0] for outcome in outcomes)
