"""Case N of seed S."""

import json
from pathlib import Path

from harness import envoy_cases
from harness.random_cases import cells, exchanges, filters, library, steps
from harness.random_cases.answers import PHASES
from harness.random_cases.dice import Dice

# Every other case is made for one cell, so that each of them is reached; the rest is left to chance.
STRIDE = 2
TARGETS = cells.reachable()


def case(seed: int | str, number: int) -> dict:
    """In the form of tests/envoy_cases: always the same. A seed that begins with "library" has processors of the library."""
    if str(seed).startswith("library"):
        return library.case(seed, number)
    dice = Dice(seed, number)
    cell = target(seed, number)
    modes = cells.modes_for(cell) if cell else {}
    made: dict = {"name": f"{seed}-{number}", "filter": filters.generate(dice, modes)}
    needs = {cell.phase: True} if cell else {}
    if cell:
        for name in ("observability_mode", "deferred_close_timeout"):
            made["filter"].pop(name, None)
    made |= exchanges.generate(dice, needs)
    mode = made["filter"].get("processing_mode", {})
    script = steps.Script(dice, {side: mode.get(f"{side}_body_mode", "NONE") for side in ("request", "response")}, made)
    made["processor"] = script.generate((cell.phase, cells.focus_of(cell)) if cell else None)
    if cell:
        made["processor"] = [step for step in made["processor"] if step["phase"] == cell.phase or _goes_on(step, cell, dice)]
    if steps.waits_for_a_timeout(made):
        made["filter"]["message_timeout"] = steps.TIMEOUT
    if steps.waits(made):
        exchanges.keep_to_the_window(made)
    # Nothing in it is the same object twice, so that the shrinker can take parts away.
    return json.loads(json.dumps(made))


def target(seed: int | str, number: int) -> cells.Cell | None:
    """The cell that a case is made for."""
    if number % STRIDE:
        return None
    # Another order for each seed.
    start = Dice(seed).number(0, len(TARGETS) - 1)
    return TARGETS[(start + number // STRIDE * 7919) % len(TARGETS)]


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
