"""The test kit's Envoy is held to the real one: each case of tests/envoy_cases is played by both, and must end alike: what
the upstream and the caller got, the messages to the processor, and the filter's counters.

With RECORD_ENVOY_CASES=1 what the real Envoy did is written to tests/envoy_cases/recorded.jsonl, which the unit tests compare
with where there is no Envoy.
"""

import asyncio
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import case_outcome, envoy_cases, paths
from harness.case_config import bootstrap
from harness.case_player import Players
from harness.case_servers import CaseServers
from harness.envoy import Envoy
from harness.processes import free_port

CASES = envoy_cases.load()
RECORDED = envoy_cases.FOLDER / "recorded.jsonl"
# Envoy's counters are merged by then.
MOMENT = 0.5
# The ends of a case take turns by waiting for a moment without events. On a busy machine that moment can come too early: a
# case that differs is played again, alone with others like it. What really differs does so each time.
PLAYS = 3


async def _play(launcher, folder: Path, cases: list) -> dict[str, dict]:
    admin = free_port()
    players = Players(cases, folder)
    await players.start()
    loop = asyncio.get_running_loop()
    servers = await loop.run_in_executor(None, lambda: CaseServers(launcher, folder, cases))
    configuration = bootstrap(cases, folder, admin)
    envoy = await loop.run_in_executor(None, lambda: Envoy(launcher, configuration, admin, concurrency=1))
    outcomes = await players.run()
    await asyncio.sleep(MOMENT)
    counters = await loop.run_in_executor(None, lambda: envoy.stats(r"\.ext_proc\."))
    players.stop()
    servers.finish(outcomes)
    for number, case in enumerate(cases):
        prefix = f"http.case_{number}.ext_proc."
        outcomes[case.name]["name"] = case.name
        outcomes[case.name]["statistics"] = {
            name.removeprefix(prefix): value for name, value in counters.items() if name.startswith(prefix) and value
        }
    return outcomes


@pytest.fixture(scope="module")
def real(launcher, simulated) -> dict[str, dict]:
    """What each case came to in a real Envoy."""
    outcomes: dict[str, dict] = {}
    for _ in range(PLAYS):
        cases = [case for case in CASES if outcomes.get(case.name) != simulated[case.name]]
        if not cases:
            break
        # Short, since the paths of Unix domain sockets are.
        with tempfile.TemporaryDirectory(prefix="extproc-") as folder:
            outcomes |= asyncio.run(_play(launcher, Path(folder), cases))
    outcomes = {case.name: outcomes[case.name] for case in CASES}
    if os.environ.get("RECORD_ENVOY_CASES"):
        RECORDED.write_text("".join(case_outcome.to_line(outcomes[case.name]) + "\n" for case in CASES))
    return outcomes


@pytest.fixture(scope="module")
def simulated() -> dict[str, dict]:
    """What each case came to in the test kit."""
    lines = subprocess.run(
        [paths.built("envoy_cases"), envoy_cases.FOLDER], capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()
    return {outcome["name"]: outcome for outcome in map(json.loads, lines)}


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_the_kit_does_what_envoy_does(name, real, simulated):
    assert simulated[name] == real[name]


def test_both_played_all_cases(real, simulated):
    assert list(simulated) == list(real) == [case.name for case in CASES]
    assert len(CASES) >= 200
