"""Random cases with a processor of the library are always the same, and ask for nothing that the processors do not know."""

import json

import pytest

from harness import case_runs
from harness.random_cases import library, make
from harness.random_cases.answers import PHASES
from harness.random_cases.dice import Dice

COUNT = 500
# Where a verb is asked for that its phase does not have.
UNKNOWN = ("no such action", "no such phase", "no such body mode", "invalid_argument", "stoi", "parse")


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    return [library.library_case(Dice("library", number)) for number in range(COUNT)]


@pytest.fixture(scope="module")
def played(cases, tmp_path_factory) -> list[dict]:
    """What each came to in the kit."""
    folder = tmp_path_factory.mktemp("random")
    make.write([{**case, "name": str(number)} for number, case in enumerate(cases)], folder)
    outcomes = case_runs.in_the_kit(folder)
    return [outcomes[f"random.{number}"] for number in range(COUNT)]


def test_all_processors_and_verbs_are_used_in_all_their_phases(cases):
    assert {case["library"] for case in cases} == set(library.PROCESSORS)
    used = {tuple(action.split()[:2]) for case in cases for action in case["do"]}
    for phase in PHASES:
        verbs = set(library.ANYWHERE) | (
            set(library.HEADERS) if phase.endswith("headers") else set(library.BODY) if phase.endswith("body") else set()
        )
        assert {verb for verb in verbs if (phase, verb) not in used} <= {"many", "abort", "throw", "emit_typed", "config"}


def test_no_action_is_unknown(cases, played):
    for case, outcome in zip(cases, played, strict=True):
        told = json.dumps(outcome["failures"])
        assert not any(text in told for text in UNKNOWN), (case, told)


def test_they_change_something(played):
    """Not every stream dies of its first answer, and the library has something to say of some."""
    assert sum(outcome["upstream"]["reached"] for outcome in played) > COUNT // 2
    assert sum(outcome["caller"]["complete"] for outcome in played) > COUNT * 3 // 4
    rules = {rule for outcome in played for rule in outcome["violations"]["first"]}
    assert rules >= {"header_denied", "header_invalid", "header_not_removable", "clear_route_cache", "body_header_mutation"}


def test_the_kit_agrees_with_itself(cases, played):
    """The library and Envoy's half name the same headers that mutation_rules keep."""
    assert [outcome["disagreement"] for outcome in played if "disagreement" in outcome] == []
