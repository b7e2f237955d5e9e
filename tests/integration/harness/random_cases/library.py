"""Random cases whose processor is one of the library: what it does is said by the request, in any phase."""

import json
from collections.abc import Callable

from harness.random_cases import circumstances, exchanges, filters, headers, routes, steps
from harness.random_cases.answers import PHASES
from harness.random_cases.dice import Dice

PROCESSORS = {"Scripted": 5, "AsyncScripted": 4, "BlockingScripted": 2, "Bodies": 3, "RequestHeadersOnly": 0.5}
WAITING = ("AsyncScripted", "BlockingScripted")
# How a handler over a whole body goes about it.
OVER_BODIES = ("upper", "summary", "wrap", "finish 4", "finish 0", "head", "before", "ignore", "repeat 3 text", "pass")
TEXTS = ("new", "a longer body than before", "x", '{"a": 1}')
STATUSES = (200, 201, 204, 304, 401, 403, 429, 500, 503, 599, 100, 199, 600)
# Waiting is short where it must be in time, and long where it must not.
TIMEOUT, IN_TIME, LATE = "0.6s", 150, 1500


def library_case(dice: Dice) -> dict:
    """In the form of tests/envoy_cases, without a name."""
    made: dict = {"filter": filters.generate(dice, {})}
    # Without the request's headers, or the one that says what to do, nothing is done.
    if dice.chance(0.9):
        made["filter"].get("processing_mode", {}).pop("request_header_mode", None)
        made["filter"].pop("forward_rules", None)
    if dice.chance(0.15):
        made["filter"]["grpc_service"] = {"initial_metadata": routes.call_metadata(dice, "filter")}
    chosen = circumstances.drawn(dice, None)
    if "route" in chosen:
        made["per_route"] = routes.generate(dice, {}, must_run=False)
    made |= exchanges.generate(dice, {})
    circumstances.shape(dice, made, chosen)
    # What is to be done is in headers too, of which Envoy takes a hundred.
    made["request"]["headers"] = [header for header in made["request"]["headers"] if isinstance(header, list)]
    # One field each: in which order protobuf writes several is anybody's guess, and a processor shows it.
    made |= {"dynamic_metadata": {name: {"a": "b"} for name in made["dynamic_metadata"]}} if "dynamic_metadata" in made else {}
    made["library"] = dice.weighted(PROCESSORS)
    if made["library"] == "Bodies":
        _let_bodies_end(made, "later" in chosen)
    duplex = (routes.effective_mode(made) or {}).get("request_body_mode") == filters.DUPLEX
    made["do"] = _actions(dice, made["library"], duplex, exchanges.is_upgrade(made["request"]))
    # What an observer is told is seen by what it throws.
    if dice.chance(0.06):
        made["filter"] |= {"observability_mode": True, "deferred_close_timeout": "60s"}
    if made["filter"].get("observability_mode"):
        thrown = ("request_headers", "response_headers") if made["library"] == "Bodies" else PHASES
        made["do"] += [f"{phase} throw {phase}" for phase in dice.some(thrown, 3, 1)]
    if made["library"] in WAITING and dice.chance(0.08):
        # An upstream that answers early would race with the time.
        made["upstream"].pop("early", None)
        made["filter"]["message_timeout"] = TIMEOUT
        made["filter"] |= dice.pick(({}, {"max_message_timeout": "5s"}, {"max_message_timeout": "0.7s"}))
        phase = dice.pick(("request_headers", "response_headers"))
        if dice.chance(0.3):
            made["do"].insert(0, f"{phase} fall_back 200{dice.pick(('', ' 503 busy'))}")
        made["do"].append(f"{phase} sleep {dice.pick((IN_TIME, LATE))}")
    elif "later" in chosen:
        # What the library does takes no time that the players know of: a piece that comes later must not come while it sleeps.
        circumstances.let_wait(dice, made, time_runs_out=False)
    return made


def _let_bodies_end(made: dict, later: bool) -> None:
    """Trailers that are not sent are the end of a body that no handler over it sees, and what stays open has none, nor has a request
    whose response is over first: whether the handler sees one when Envoy closes the stream depends on what comes first, the end
    of what Envoy sends or its RST_STREAM."""
    mode = routes.effective_mode(made) or {}
    for side, part in (("request", "request"), ("response", "upstream")):
        if mode.get(f"{side}_trailer_mode") != "SEND":
            made[part].pop("trailers", None)
        made[part].pop("open", None)
    if later:
        made["upstream"].pop("early", None)


def _actions(dice: Dice, library: str, duplex: bool, upgrade: bool) -> list[str]:
    phases = ("request_headers",) if library == "RequestHeadersOnly" else PHASES
    made = []
    for phase in dice.some(phases, len(phases)):
        if library == "Bodies" and phase.endswith("body"):
            made.append(f"{phase} {dice.pick(OVER_BODIES)}")
        elif library == "Bodies" and phase.endswith("trailers"):
            continue
        verbs = {**ANYWHERE, **(HEADERS if phase.endswith("headers") else BODY if phase.endswith("body") else {})}
        chances = {verb: chance for verb, (chance, _) in verbs.items()}
        for _ in range(dice.weighted({0: 1, 1: 4, 2: 3, 4: 1})):
            verb = dice.weighted(chances)
            made.append(f"{phase} {verb} {verbs[verb][1](dice)}".strip())
        # A status that has no body, in front of one.
        if phase in ("response_headers", "response_body") and not upgrade and dice.chance(0.15):
            made.append(f"{phase} set :status={dice.pick((204, 304, 203))}")
    # On a request Envoy lets any number go; the upstream's HTTP/2 ends its connection at one of four digits.
    made = [action for action in made if not (action.startswith("request") and ":status=1000" in action)]
    if upgrade:
        made = [action for action in made if not any(name in action for name in steps.OF_UPGRADES)]
    # In FULL_DUPLEX_STREAMED the request goes on meanwhile, and gets as far as time allows.
    if library == "AsyncScripted" and not duplex and dice.chance(0.12):
        made.append(f"request_headers stream {_streamed(dice)}")
    return made


def _name(dice: Dice) -> str:
    if dice.chance(0.08):
        return dice.pick(headers.ROUTING)
    return headers.name(dice, dice.chance(0.35)).split("\n")[0].split("\0")[0].strip()


def _value(dice: Dice, name: str) -> str:
    made = headers.value(dice, name, dice.chance(0.3))
    return "long" if isinstance(made, dict) or not made.isascii() or not made.isprintable() else made.strip()


def _pair(dice: Dice) -> str:
    name = _name(dice)
    return f"{name}={_value(dice, name)}"


def _bytes(dice: Dice) -> str:
    made = dice.pick((*headers.VALUES, *(headers.INVALID_VALUES if dice.chance(0.2) else ())))
    return f"{dice.pick(headers.PLAIN)}={made.encode('latin-1').hex()}"


def _status(dice: Dice) -> int:
    return dice.pick(STATUSES[:10]) if dice.chance(0.9) else dice.pick(STATUSES)


def _respond(dice: Dice) -> str:
    # form_immediate_response refuses the others.
    return f"{dice.pick(STATUSES[:10])} {dice.pick(('no', ''))}"


def _reply(dice: Dice) -> str:
    made: dict = {"status": _status(dice)}
    if dice.chance(0.6):
        made["headers"] = [_pair(dice).split("=", 1) for _ in range(dice.number(1, 3))]
    if dice.chance(0.6):
        made["body"] = dice.pick(TEXTS)
    if dice.chance(0.3):
        made["details"] = "why not"
    if dice.chance(0.2):
        made["grpc_status"] = dice.pick((0, 5, 13))
    if dice.chance(0.2):
        made["removed_headers"] = [_name(dice)]
    return json.dumps(made)


def _streamed(dice: Dice) -> str:
    made: dict = {"status": dice.pick((200, 201, 404)), "chunks": dice.some(("a", "bc", "d" * 40), 3)}
    if dice.chance(0.4):
        made["headers"] = [["x-kind", "pieces"], *([["x-envoy-kind", "denied"]] if dice.chance(0.4) else [])]
    if dice.chance(0.4):
        made["trailers"] = [["x-end", "1"]]
    return json.dumps(made)


def _mode(dice: Dice) -> str:
    fields = {
        "request_body": tuple(filters.BODY_MODES),
        "response_body": tuple(filters.BODY_MODES),
        "response_header": ("SEND", "SKIP"),
        "request_trailer": ("SEND", "SKIP"),
        "response_trailer": ("SEND", "SKIP"),
    }
    return ",".join(f"{field}={dice.pick(fields[field])}" for field in dice.some(tuple(fields), 4, 1))


def _emit(dice: Dice) -> str:
    value = dice.pick(({"a": "b"}, {"n": 1.5}, {"l": [True, None]}, {"o": {"l": ["x", 2]}}, {}))
    return f"{dice.pick(filters.NAMESPACES)} {json.dumps(value)}"


def _one_of(*choices: str) -> Callable[[Dice], str]:
    return lambda dice: dice.pick(choices)


# Of each verb how often it is used, and what stands behind it.
ANYWHERE: dict[str, tuple[float, Callable[[Dice], str]]] = {
    "set": (8, _pair),
    "append": (4, _pair),
    "remove": (4, _name),
    "unhex": (1, _bytes),
    "many": (0.3, _one_of("3", "100", "101", "101=remove")),
    "throw": (0.4, _one_of("boom")),
    "abort": (0.3, _one_of("enough")),
    "respond": (1, _respond),
    "stop": (0.5, _respond),
    "reply": (1, _reply),
    "metadata": (0.7, _one_of(*filters.NAMESPACES)),
    "attribute": (0.7, _one_of("request.path", "request.method", "response.code", "no.such")),
    "config": (0.4, _one_of("")),
    "call": (0.7, _one_of(*routes.CALL_METADATA)),
    "emit": (1, _emit),
    "emit_typed": (0.3, _one_of("one type.googleapis.com/a.B 0801")),
}
HEADERS: dict[str, tuple[float, Callable[[Dice], str]]] = {
    "clear_route_cache": (1, _one_of("")),
    "continue_and_replace": (0.8, _one_of(*TEXTS, "")),
    "mode": (1.5, _mode),
    "hex": (0.5, _one_of("x-one", "x-two", ":path")),
}
BODY: dict[str, tuple[float, Callable[[Dice], str]]] = {
    "clear_route_cache": (0.7, _one_of("")),
    "size": (1, _one_of("")),
    "replace": (5, _one_of(*TEXTS, "")),
    "fill": (0.5, _one_of("0", "5", "70000")),
    "clear": (2, _one_of("")),
}
