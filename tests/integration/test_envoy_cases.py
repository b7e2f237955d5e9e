"""The test kit's Envoy is held to the real one: each case of tests/envoy_cases is played by both, and must end alike: what
the upstream and the caller got, the messages to the processor, and the filter's counters.

With RECORD_ENVOY_CASES=1 what the real Envoy did is written to tests/envoy_cases/recorded.jsonl, which the unit tests compare
with where there is no Envoy.
"""

import os

import pytest

from harness import case_outcome, case_runs, envoy_cases

CASES = envoy_cases.load()
RECORDED = envoy_cases.FOLDER / "recorded.jsonl"
# The ends of a case take turns by waiting for a moment without events. On a busy machine that moment can come too early: a
# case that differs is played again, alone with others like it. What really differs does so each time.
PLAYS = 3


@pytest.fixture(scope="module")
def real(simulated) -> dict[str, dict]:
    """What each case came to in a real Envoy."""
    outcomes: dict[str, dict] = {}
    for _ in range(PLAYS):
        cases = [case for case in CASES if outcomes.get(case.name) != simulated[case.name]]
        if not cases:
            break
        outcomes |= case_runs.in_envoy(cases).outcomes
    outcomes = {case.name: outcomes[case.name] for case in CASES}
    if os.environ.get("RECORD_ENVOY_CASES"):
        RECORDED.write_text("".join(case_outcome.to_line(outcomes[case.name]) + "\n" for case in CASES))
    return outcomes


@pytest.fixture(scope="module")
def simulated() -> dict[str, dict]:
    """What each case came to in the test kit."""
    return case_runs.in_the_kit(envoy_cases.FOLDER)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_the_kit_does_what_envoy_does(name, real, simulated):
    assert simulated[name] == real[name]


def test_both_played_all_cases(real, simulated):
    assert list(simulated) == list(real) == [case.name for case in CASES]
    assert len(CASES) >= 200
