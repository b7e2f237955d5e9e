"""Case N of seed S."""

import json
from pathlib import Path

from harness import envoy_cases
from harness.random_cases import cells, circumstances, exchanges, filters, library, routes, steps
from harness.random_cases.answers import PHASES
from harness.random_cases.dice import Dice

# Of so many cases one has a processor of the library, and of so many others one is left to chance; each other one is made
# for a cell, so that all of them are reached.
LIBRARY, CHANCE = 5, 4
TARGETS = cells.reachable()


def case(seed: int | str, number: int) -> dict:
    """In the form of tests/envoy_cases: always the same."""
    script = _index(number, LIBRARY)
    made = library.library_case(Dice(seed, number)) if script is None else _script_case(seed, number)
    # Nothing in it is the same object twice, so that the shrinker can take parts away.
    return json.loads(json.dumps({"name": f"{seed}-{number}", **made}))


def _script_case(seed: int | str, number: int) -> dict:
    dice = Dice(seed, number)
    cell = target(seed, number)
    modes = cells.modes_for(cell, dice) if cell else {}
    chosen = circumstances.drawn(dice, cell)
    made: dict = {"filter": filters.generate(dice, modes)}
    if "route" in chosen:
        made["per_route"] = routes.generate(dice, modes, must_run=cell is not None)
    needs = {cell.phase: True} if cell else {}
    if cell:
        for name in ("observability_mode", "deferred_close_timeout"):
            made["filter"].pop(name, None)
    made |= exchanges.generate(dice, needs)
    circumstances.shape(dice, made, chosen, cell)
    mode = routes.effective_mode(made) or {}
    script = steps.Script(dice, {side: mode.get(f"{side}_body_mode", "NONE") for side in ("request", "response")}, made)
    made["processor"] = script.generate((cell.phase, cells.focus_of(cell)) if cell else None)
    if cell:
        made["processor"] = [step for step in made["processor"] if step["phase"] == cell.phase or _goes_on(step, cell, dice)]
    time_runs_out = steps.waits_for_a_timeout(made)
    if time_runs_out:
        made["filter"]["message_timeout"] = steps.TIMEOUT
    if steps.waits(made):
        exchanges.keep_to_the_window(made)
    if "later" in chosen:
        circumstances.let_wait(dice, made, time_runs_out)
    return made


def target(seed: int | str, number: int) -> cells.Cell | None:
    """The cell that a case is made for."""
    script = _index(number, LIBRARY)
    aimed = None if script is None else _index(script, CHANCE)
    if aimed is None:
        return None
    # Another order for each seed.
    start = Dice(seed).number(0, len(TARGETS) - 1)
    return TARGETS[(start + aimed * 7919) % len(TARGETS)]


def _index(number: int, of: int) -> int | None:
    """With the last of each `of` left out, how many stand before it; None where it is left out itself."""
    return None if number % of == of - 1 else number - number // of


def _goes_on(step: dict, cell: cells.Cell, dice: Dice) -> bool:
    """What comes before the message that counts must not end the exchange, mostly."""
    if PHASES.index(step["phase"]) % 2 != PHASES.index(cell.phase) % 2:
        before = step["phase"].startswith("request") and cell.phase.startswith("response")
    else:
        before = PHASES.index(step["phase"]) < PHASES.index(cell.phase)
    return not before or dice.chance(0.1)


def write(made: list[dict], folder: Path, stem: str = "random") -> None:
    """As a folder that both players can read."""
    (folder / "common.yaml").write_text((envoy_cases.FOLDER / "common.yaml").read_text())
    # Each JSON text is YAML.
    lines = ["about: Random cases.", "cases:", *(f"- {json.dumps(each)}" for each in made)]
    (folder / f"{stem}.yaml").write_text("\n".join(lines) + "\n")
