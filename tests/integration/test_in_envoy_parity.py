"""The same processor behind ext_proc and inside Envoy: the caller and the upstream get the same, in each case of
tests/envoy_cases that a processor of the library can be asked for and in random ones, but for what is listed here. The test
kit's Envoy with a processor inside is held to the real one by the same cases."""

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import case_inside, case_runs, envoy_cases
from harness.case_inside import ALLOWED, CHUNKS, EMPTY, HELD, LEFT_OUT, NO_LIMIT, OBSERVED, PSEUDO
from harness.case_player import AT_ONCE
from harness.random_cases import library, make
from harness.random_cases.dice import Dice

ALL = [made for case in envoy_cases.load() if (made := case_inside.as_library(case))]
CASES = [case for case in ALL if not case_inside.impossible(case)]
# Each is played, and must come to something else inside.
DIFFERENT = {
    "header_mutations.empty_raw_value": EMPTY,
    "header_mutations.invalid_name_space": LEFT_OUT,
    "header_mutations.invalid_name_empty": LEFT_OUT,
    "header_mutations.invalid_name_colon_inside": LEFT_OUT,
    "header_mutations.invalid_remove": LEFT_OUT,
    "header_mutations.invalid_after_a_valid_one": LEFT_OUT,
    "header_mutations.invalid_with_failure_mode_allow": LEFT_OUT,
    "header_mutations.invalid_with_status_on_error": LEFT_OUT,
    "library.invalid_name": LEFT_OUT,
    "library.name_is_a_colon": LEFT_OUT,
    "library.name_is_no_utf8": LEFT_OUT,
    "library.name_is_no_utf8_allowed": LEFT_OUT,
    "random_found.a_colon_as_name": LEFT_OUT,
    "header_mutations.result_just_within_the_limit": NO_LIMIT,
    "library.too_many": NO_LIMIT,
    "library.mode_not_allowed": ALLOWED,
    "library.streamed_together": CHUNKS,
    "library.append_to_a_pseudo_header_that_is_not_there": PSEUDO,
    "trailers.request_pseudo": PSEUDO,
    "trailers.response_pseudo": PSEUDO,
    "library.observed_failure": OBSERVED,
    "held_headers.decided_streamed": HELD,
}
SEED = os.environ.get("PARITY_SEED", "gate")
COUNT = int(os.environ.get("PARITY_CASES", "150"))
# As in test_envoy_cases.py.
PLAYS = (AT_ONCE, 3, 1)


def seen(outcome: dict) -> dict:
    return {part: outcome[part] for part in ("caller", "upstream")}


def alike(outcome: dict) -> dict:
    """What must be the same behind ext_proc and inside."""
    return {part: _without_right_length(message) for part, message in outcome.items()}


def _without_right_length(message: dict) -> dict:
    """A content-length that Envoy takes out where ext_proc might change a body stays inside, where it is known that none does."""
    right = ["content-length", str(len(message["body"]))]
    return message | {"headers": [header for header in message["headers"] if header != right]}


@dataclass
class Played:
    """What came of each case."""

    kit: dict[str, dict]
    """Inside, in the test kit's Envoy."""
    outside: dict[str, dict] = field(default_factory=dict)
    """Behind ext_proc, in a real one."""
    inside: dict[str, dict] = field(default_factory=dict)

    def same(self, name: str) -> bool:
        return alike(self.outside[name]) == alike(self.inside[name])

    def kit_is_right(self, name: str) -> bool:
        return self.kit[name] == self.inside[name]

    def is_as_expected(self, name: str) -> bool:
        return self.same(name) == (name not in DIFFERENT) and self.kit_is_right(name)


def play(cases) -> Played:
    cases = list(cases)
    played = Played({name: seen(outcome) for name, outcome in case_runs.inside_the_kit(cases).items()})
    for at_once in PLAYS:
        again = [case for case in cases if case.name not in played.outside or not played.is_as_expected(case.name)]
        if not again:
            break
        for into, where in ((played.outside, False), (played.inside, True)):
            players = case_runs.in_envoy(list(again), at_once, inside=where)
            into |= {case.name: seen(players.outcomes[case.name]) for case in again}
    return played


@pytest.fixture(scope="module")
def played():
    return play(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_caller_and_upstream_get_the_same(name, played):
    outside, inside = alike(played.outside[name]), alike(played.inside[name])
    if name in DIFFERENT:
        assert inside != outside, f"it is the same now; listed is: {DIFFERENT[name]}"
    else:
        assert inside == outside


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_the_kit_does_what_envoy_does_with_a_processor_inside(name, played):
    assert played.kit[name] == played.inside[name]


def test_most_cases_are_played_and_what_is_listed_exists():
    assert len(CASES) >= 590
    assert DIFFERENT.keys() <= {case.name for case in CASES}


def random_cases() -> list[envoy_cases.Case]:
    made = [case_inside.made_possible(library.library_case(Dice(SEED, number))) for number in range(COUNT)]
    with tempfile.TemporaryDirectory(prefix="extproc-cases-") as folder:
        # Nothing in it is the same object twice.
        make.write([{**json.loads(json.dumps(case)), "name": str(number)} for number, case in enumerate(made)], Path(folder))
        return envoy_cases.load(Path(folder))


def _difference(case: envoy_cases.Case, **outcomes: dict) -> str:
    (one, first), (other, second) = outcomes.items()
    parts = [
        f"  {side} {part}: {str(first[side][part])[-400:]} {one}, {str(second[side][part])[-400:]} {other}"
        for side in first
        for part in first[side]
        if first[side][part] != second[side][part]
    ]
    return f"{case.library}, {case.filter}, {str(case.data['do'])[:1000]}:\n" + "\n".join(parts)


def test_random_cases():
    """PARITY_SEED and PARITY_CASES choose others than those of the gate."""
    cases = [case for case in random_cases() if not case_inside.impossible(case)]
    assert len(cases) >= COUNT * 0.9
    played = play(cases)
    different = [case for case in cases if not played.same(case.name)]
    unexplained = [case for case in different if not case_inside.explained(case)]
    told = [_difference(case, outside=played.outside[case.name], inside=played.inside[case.name]) for case in unexplained[:5]]
    assert not unexplained, f"{len(unexplained)} of {len(cases)}, of which the first are:\n" + "\n".join(told)
    assert len(different) <= len(cases) * 0.2
    wrong = [case for case in cases if not played.kit_is_right(case.name)]
    told = [_difference(case, in_the_kit=played.kit[case.name], in_envoy=played.inside[case.name]) for case in wrong[:5]]
    assert not wrong, f"the kit differs in {len(wrong)} of {len(cases)}, of which the first are:\n" + "\n".join(told)
