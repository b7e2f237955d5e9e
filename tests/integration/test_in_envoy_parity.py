"""The same processor behind ext_proc and inside Envoy: the caller and the upstream get the same, in each case of
tests/envoy_cases that a processor of the library can be asked for and in random ones, but for what is listed here."""

import os

import pytest

from harness import case_inside, case_runs, envoy_cases
from harness.case_player import AT_ONCE

ALL = [made for case in envoy_cases.load() if (made := case_inside.as_library(case))]
CASES = [case for case in ALL if not case_inside.impossible(case)]
# As in test_envoy_cases.py.
PLAYS = (AT_ONCE, 3, 1)


def seen(outcome: dict) -> dict:
    return {part: outcome[part] for part in ("caller", "upstream")}


def play(cases) -> tuple[dict[str, dict], dict[str, dict]]:
    """What came of each, behind ext_proc and inside."""
    outside: dict[str, dict] = {}
    inside: dict[str, dict] = {}
    for at_once in PLAYS:
        again = [case for case in cases if case.name not in outside or outside[case.name] != inside[case.name]]
        if not again:
            break
        for into, where in ((outside, False), (inside, True)):
            players = case_runs.in_envoy(list(again), at_once, inside=where)
            into |= {case.name: seen(players.outcomes[case.name]) for case in again}
    return outside, inside


@pytest.fixture(scope="module")
def outcomes():
    return play(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_caller_and_upstream_get_the_same(name, outcomes):
    outside, inside = outcomes
    assert inside[name] == outside[name]


def test_most_cases_are_played():
    assert len(CASES) >= 150
