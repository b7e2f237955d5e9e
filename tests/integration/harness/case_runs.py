"""Plays cases by both players: the test kit's, and a real Envoy's."""

import asyncio
import json
import subprocess
import tempfile
from pathlib import Path

from harness import case_inside, case_upgrade, envoy_cases, paths
from harness import inside as inside_envoy
from harness.case_config import bootstrap
from harness.case_player import AT_ONCE, Players
from harness.case_servers import CaseServers
from harness.envoy import Envoy
from harness.envoy_cases import Case
from harness.processes import Launcher, free_port

# Envoy's counters are merged by then.
MOMENT = 0.5
SWITCHED = ".downstream_rq_1xx"


class EnvoyCrashed(Exception):
    """The real Envoy died of what it was played."""


def in_the_kit(folder: Path) -> dict[str, dict]:
    """What each case of a folder comes to in the test kit, by name."""
    command = [paths.built("envoy_cases"), folder]
    lines = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert lines.returncode == 0, lines.stderr
    return {outcome["name"]: outcome for outcome in map(json.loads, lines.stdout.splitlines())}


def inside_the_kit(cases: list[Case]) -> dict[str, dict]:
    """What each case comes to in the test kit with its processor inside Envoy, by name."""
    with tempfile.TemporaryDirectory(prefix="extproc-cases-") as folder:
        configs = [json.dumps(case_inside.filter_of(case).config()) for case in cases]
        # Each JSON text is YAML.
        made = [{**case.data, "name": str(number), "inside": config} for number, (case, config) in enumerate(zip(cases, configs, strict=True))]
        Path(folder, "common.yaml").write_text("base: {}\n")
        Path(folder, "inside.yaml").write_text(json.dumps({"cases": made}))
        outcomes = in_the_kit(Path(folder))
    return {case.name: outcomes[f"inside.{number}"] for number, case in enumerate(cases)}


def in_envoy(cases: list[Case], at_once: int = AT_ONCE, inside: bool = False) -> Players:
    """What each case comes to in a real Envoy, started for these alone. `inside`: their processors run inside it; then the
    outcome has what the caller and the upstream got."""
    # Short, since the paths of Unix domain sockets are.
    with tempfile.TemporaryDirectory(prefix="extproc-") as folder:
        launcher = Launcher(Path(folder))
        try:
            return asyncio.run(_play(launcher, Path(folder), cases, at_once, inside))
        finally:
            launcher.stop_all()


async def _play(launcher: Launcher, folder: Path, cases: list[Case], at_once: int, inside: bool) -> Players:
    admin = free_port()
    cases = [*cases, envoy_cases.nothing_special()]
    players = Players(cases, folder)
    await players.start()
    loop = asyncio.get_running_loop()
    servers = await loop.run_in_executor(None, lambda: CaseServers(launcher, folder, [] if inside else cases))
    configuration = bootstrap(cases, folder, admin, inside)
    environment = inside_envoy.environment() if inside else None
    envoy = await loop.run_in_executor(None, lambda: Envoy(launcher, configuration, admin, concurrency=1, env=environment))
    try:
        await players.run(at_once)
        await asyncio.sleep(MOMENT)
        counters = await loop.run_in_executor(None, lambda: envoy.stats(rf"\.ext_proc\.|{SWITCHED}$"))
    except (OSError, EOFError) as error:
        code = await loop.run_in_executor(None, envoy.process.exit_code_soon)
        if code is None:
            raise
        crash = next((line for line in envoy.process.log().splitlines() if "Caught" in line), "its log does not say why")
        raise EnvoyCrashed(f"Envoy ended with {code}: {crash}") from error
    players.stop()
    servers.finish(players.outcomes)
    cases.pop()
    for number, case in enumerate(cases):
        prefix = f"http.case_{number}.ext_proc."
        players.outcomes[case.name]["name"] = case.name
        # In HTTP/2 a 200 may be the 101 of an upgrade: only Envoy itself can tell.
        if case.is_upgrade and counters.get(f"http.case_{number}{SWITCHED}"):
            caller = players.outcomes[case.name]["caller"]
            caller["headers"] = case_upgrade.from_success(caller["headers"])
        players.outcomes[case.name]["statistics"] = {
            name.removeprefix(prefix): value for name, value in counters.items() if name.startswith(prefix) and value
        }
    return players
