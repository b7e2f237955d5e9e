"""What random cases must reach: each field of an answer, and each deed, in each phase and body mode; and what cannot be."""

from dataclasses import dataclass

from harness.random_cases import answers
from harness.random_cases.answers import PHASES
from harness.random_cases.dice import Dice
from harness.random_cases.filters import BODY_MODES, DUPLEX

# Of the message that is answered: they are the same for each phase, so that a cell names the part alone.
DEEDS = ("wait", "end", "reset", "silence", "several", "nothing_set", *(f"wrong_phase.{phase}" for phase in PHASES))
# What else the exchange is, in which a message of the phase is answered: see circumstances.py.
CIRCUMSTANCES = ("later", "open", "upgrade", "call", "route")
# A body that ends before it is sent at all.
BUFFERING = ("BUFFERED", "BUFFERED_PARTIAL")


@dataclass(frozen=True, order=True)
class Cell:
    """A field (its path, with dots), a deed or a circumstance; the phase of the message that it answers; the body mode of that
    direction."""

    what: str
    phase: str
    mode: str

    def __str__(self) -> str:
        return f"{self.what} in {self.phase}, {self.mode}"


# Why a cell cannot be reached: the first rule that fits.
IMPOSSIBLE = (
    (
        "Envoy sends no body message in NONE, and takes GRPC for NONE",
        lambda cell: cell.phase.endswith("body") and cell.mode in ("NONE", "GRPC"),
    ),
    ("an upgrade has no trailers", lambda cell: cell.what == "upgrade" and cell.phase.endswith("trailers")),
    ("an answer of the right phase is not of the wrong one", lambda cell: cell.what == f"wrong_phase.{cell.phase}"),
)


def impossible(cell: Cell) -> str | None:
    """The reason why nothing can reach it."""
    return next((reason for reason, fits in IMPOSSIBLE if fits(cell)), None)


def all_cells() -> list[Cell]:
    """In an order of no meaning that is always the same."""
    found = set()
    for phase in PHASES:
        for mode in BODY_MODES:
            for path in answers.leaves():
                if path[0] not in PHASES or path[0] == phase:
                    found.add(Cell(".".join(path), phase, mode))
            found |= {Cell(what, phase, mode) for what in (*DEEDS, *CIRCUMSTANCES)}
    return sorted(found)


def reachable() -> list[Cell]:
    return [cell for cell in all_cells() if impossible(cell) is None]


def reached_by(modes: dict, circumstances: set[str], answered: list[tuple[str, dict | None]]) -> set[Cell]:
    """The cells of what a script did; its scalars are texts, or what YAML makes of them. `modes` are fields of the processing mode
    that counts."""
    found = set()
    by_message: dict[str, int] = {}
    for phase, action in answered:
        mode = str(modes.get(f"{phase.partition('_')[0]}_body_mode", "NONE"))
        found |= {Cell(what, phase, mode) for what in _what(phase, action) | circumstances}
        if action is not None and "wait" not in action:
            by_message[phase] = by_message.get(phase, 0) + 1
            if by_message[phase] > 1:
                found.add(Cell("several", phase, mode))
    return found


def _what(phase: str, action: dict | None) -> set[str]:
    if action is None:
        return {"silence"}
    for deed in ("wait", "end", "reset"):
        if deed in action:
            return {deed}
    found = {".".join(path) for path in answers.paths_in(action) if path[0] not in PHASES or path[0] == phase}
    found |= {f"wrong_phase.{kind}" for kind in PHASES if kind in action and kind != phase}
    if not any(kind in action for kind in answers.KINDS):
        found.add("nothing_set")
    return found


def focus_of(cell: Cell) -> dict:
    """What must be done about a message of the cell's phase to reach it."""
    what, _, kind = cell.what.partition(".")
    if what == "wrong_phase":
        return {"deed": what, "kind": kind}
    if cell.what == "override_message_timeout":
        return {"deed": "override_timeout"}
    if cell.what in CIRCUMSTANCES:
        return {"deed": "plain"}
    if cell.what in DEEDS:
        return {"deed": {"wait": "late", "several": "twice"}.get(cell.what, cell.what)}
    deed = {"immediate_response": "immediate", "streamed_immediate_response": what}.get(what, "plain")
    return {"deed": deed.removesuffix("_response"), "wanted": tuple(cell.what.split("."))}


def modes_for(cell: Cell, dice: Dice) -> dict[str, str]:
    """Fields of the processing mode that let Envoy send a message of that phase."""
    side, _, part = cell.phase.partition("_")
    modes = {f"{side}_body_mode": cell.mode}
    if part == "headers" or cell.mode == DUPLEX:
        modes[f"{side}_header_mode"] = "SEND"
    if part == "trailers" or cell.mode == DUPLEX:
        modes[f"{side}_trailer_mode"] = "SEND"
    # What an answer of the other side's phase does depends on that side's mode.
    other = "response" if side == "request" else "request"
    if cell.what.startswith(f"wrong_phase.{other}") and dice.chance(0.5):
        modes |= {f"{other}_body_mode": DUPLEX, f"{other}_trailer_mode": "SEND"}
    return modes
