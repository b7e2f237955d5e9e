"""What else an exchange can be: one whose pieces take their time, that stays open, that is an upgrade or a call of gRPC whose both
ends send when they like."""

from harness.random_cases import exchanges
from harness.random_cases.cells import BUFFERING, Cell
from harness.random_cases.dice import Dice

# How often each is drawn. Two in three cases are none of them.
CHANCES = {"upgrade": 0.08, "call": 0.08, "open": 0.07, "later": 0.12, "route": 0.12}
SWITCHING = ["connection", "upgrade"], ["upgrade", "websocket"]
# An answer of 200 is "yes" in HTTP/2: the players cannot send one that is not.
REFUSALS = ("403", "404", "503")
OF_CALLS = ["content-type", "application/grpc"]
# In seconds. What the caller's add up to is never what the upstream's do, nor what a processor waits, so that nothing comes at the
# same time. A message-time-out that runs is far from all of them.
PAUSES = {"request": (0.21, 0.31), "upstream": (0.203, 0.303)}
MOST_PAUSES = 2
LONG_PAUSE = {"request": 2.61, "upstream": 2.603}


def drawn(dice: Dice, cell: Cell | None) -> set[str]:
    """Those that a case gets; besides what its cell is about only such as do not keep it from that."""
    chosen = {name for name, chance in CHANCES.items() if dice.chance(chance)}
    if cell is not None:
        chosen &= {"later", "route"}
        chosen |= {cell.what} & {*CHANCES}
    if "upgrade" in chosen:
        chosen.discard("call")
    return chosen


def found_in(case: dict) -> set[str]:
    """Those that a case is."""
    messages = [case["request"], case["upstream"]]
    found = {name for name, field in (("later", "after"), ("open", "open")) if any(field in message for message in messages)}
    found |= {"route"} if "per_route" in case else set()
    found |= {"upgrade"} if exchanges.is_upgrade(case["request"]) else set()
    return found | ({"call"} if exchanges.headers_of(case["request"]).get("te") == "trailers" else set())


def shape(dice: Dice, case: dict, chosen: set[str], cell: Cell | None = None) -> None:
    """Makes the exchange one of those; what takes its time is let wait later on."""
    if "upgrade" in chosen:
        _upgrade(dice, case)
    if "call" in chosen:
        _call(dice, case, cell)
    if "open" in chosen:
        _open(dice, case, cell)


def let_wait(dice: Dice, case: dict, time_runs_out: bool) -> None:
    """Some pieces come later than those before."""
    for part in dice.some(("request", "upstream"), 2, 1):
        message = case[part]
        count = 1 + len(message.get("body", [])) + ("trailers" in message)
        after: list[float] = [0] * count
        # What a request begins with is what everything else is measured from.
        for index in dice.some(range(1 if part == "request" and count > 1 else 0, count), MOST_PAUSES, 1):
            long = time_runs_out and dice.chance(0.3)
            after[index] = LONG_PAUSE[part] if long else dice.pick(PAUSES[part])
        message["after"] = after


def _upgrade(dice: Dice, case: dict) -> None:
    request, upstream = case["request"], case["upstream"]
    request["headers"][0][1] = "GET"
    request["headers"][4:4] = map(list, SWITCHING)
    if accepted := dice.chance(0.85):
        upstream["headers"][1:1] = map(list, SWITCHING)
    upstream["headers"][0][1] = "101" if accepted else dice.pick(REFUSALS)
    for message in (request, upstream):
        message.pop("trailers", None)
        _without(message, "content-length")
    _answer_early(dice, upstream)


def _call(dice: Dice, case: dict, cell: Cell | None) -> None:
    request, upstream = case["request"], case["upstream"]
    for message in (request, upstream):
        _without(message, "content-length")
        _without(message, "content-type")
    request["headers"][0][1] = "POST"
    request["headers"][4:4] = [list(OF_CALLS), ["te", "trailers"]]
    upstream["headers"][0][1] = "200"
    upstream["headers"][1:1] = [list(OF_CALLS)]
    if cell is None or cell.phase != "request_trailers":
        request.pop("trailers", None)
    if dice.chance(0.9):
        upstream["trailers"] = [["grpc-status", dice.pick(("0", "0", "5"))]]
    _answer_early(dice, upstream)


def _open(dice: Dice, case: dict, cell: Cell | None) -> None:
    """Trailers, or nothing at all to come, are the end of a message."""
    parts = [part for part in ("request", "upstream") if part == "request" or not exchanges.is_bodiless(case)]
    if cell is not None:
        own = "request" if cell.phase.startswith("request") else "upstream"
        ends = cell.phase.endswith("trailers") or cell.phase.endswith("body") and cell.mode in BUFFERING
        parts = [part for part in parts if part != own or not ends]
    for part in dice.some(parts, 2, 1):
        case[part].pop("trailers", None)
        case[part]["open"] = True
    if case["request"].get("open"):
        _answer_early(dice, case["upstream"])


def _answer_early(dice: Dice, upstream: dict) -> None:
    """Mostly: otherwise it waits for the end of what it is told."""
    upstream.pop("early", None)
    if dice.chance(0.85):
        upstream["early"] = True


def _without(message: dict, name: str) -> None:
    message["headers"] = [header for header in message["headers"] if not isinstance(header, list) or header[0] != name]
