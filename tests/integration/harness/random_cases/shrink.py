"""Makes a case that differs as small as it can be and still differs."""

import copy
from collections.abc import Callable, Generator, Iterator

from harness.random_cases import exchanges, filters, routes, steps

ROUNDS = 12
# How many candidates are played at once, of all cases and at least of each.
WIDTH = 400
LEAST_WIDTH = 25
# Messages of the filter that may have any of their fields.
OPTIONAL = ("processing_mode", "mutation_rules", "forward_rules", "metadata_options")
Path = tuple[str | int, ...]
# For each of some cases, whether it differs.
Differs = Callable[[list[dict]], list[bool]]


def shrink(cases: list[dict], differs: Differs, rounds: int = ROUNDS) -> list[dict]:
    """Takes away what is not needed, the large parts first; what can be tried at the same time, of all cases, is."""
    width = max(LEAST_WIDTH, WIDTH // max(1, len(cases)))
    smallest = list(cases)
    under_way = {number: _shrink(case, width, rounds) for number, case in enumerate(cases)}
    asked = {number: next(search, None) for number, search in under_way.items()}
    while under_way:
        for number in [number for number, candidates in asked.items() if candidates is None]:
            del under_way[number], asked[number]
        answers = iter(differs([case for candidates in asked.values() for case in candidates])) if asked else iter(())
        for number, candidates in list(asked.items()):
            still = [next(answers) for _ in candidates]
            smallest[number] = next((case for case, yes in zip(candidates, still, strict=True) if yes), smallest[number])
            try:
                asked[number] = under_way[number].send(still)
            except StopIteration:
                asked[number] = None
    return smallest


def _shrink(case: dict, width: int, rounds: int) -> Generator[list[dict], list[bool], None]:
    """Yields candidates, the best first, and is told which of them differ."""
    if exchanges.is_upgrade(case["request"]):
        # No part of that can be taken away by itself.
        plain = exchanges.without_upgrade(case)
        if (yield [plain])[0]:
            case = plain
    for _ in range(rounds):
        parts = [path for path in removable(case) if is_playable(without(case, [path]))][:width]
        if not parts:
            return
        still = yield [without(case, [path]) for path in parts]
        needless = [path for path, yes in zip(parts, still, strict=True) if yes]
        if not needless:
            return
        # One by one they are needless; together only as far as that still differs.
        smaller = [without(case, needless[:count]) for count in range(len(needless), 0, -1)]
        smaller = [each for each in smaller if is_playable(each)]
        still = yield smaller
        case = next((each for each, yes in zip(smaller, still, strict=True) if yes), without(case, needless[:1]))


def removable(case: dict) -> list[Path]:
    """What could be taken away, from the outside in."""
    return [path for path in sorted(_paths(case), key=len) if not _is_needed(path, _at(case, path[:-1]))]


def without(case: dict, paths: list[Path]) -> dict:
    """The case with none of that."""
    smaller = copy.deepcopy(case)
    # Later items first, so that the numbers of those before stay; what lies inside of another goes with it.
    for path in sorted(paths, key=_order, reverse=True):
        del _at(smaller, path[:-1])[path[-1]]
    return smaller


def _order(path: Path) -> list[tuple[int, str]]:
    return [(key, "") if isinstance(key, int) else (0, key) for key in path]


def is_playable(case: dict) -> bool:
    """Whether it is a case that both players take, and that does not wait for what never comes."""
    mode_ok = filters.is_valid(case.get("filter", {}))
    exchange_ok = exchanges.is_fair(case)
    answers = all(step.get("phase") for step in case.get("processor", []))
    routes_ok = routes.are_valid(case.get("per_route", []))
    timed = "message_timeout" in case.get("filter", {}) or not steps.waits_for_a_timeout(case)
    return mode_ok and exchange_ok and routes_ok and answers and timed


def _is_needed(path: Path, parent: dict | list) -> bool:
    name = path[-1]
    if path[0] == "filter" and len(path) > 2:
        # What is deeper stands in messages that Envoy does not take by halves.
        return len(parent) == 1 if isinstance(name, int) else len(path) > 3 or path[1] not in OPTIONAL
    if path[0] == "per_route":
        # A mode, and a list of names, may have any of its fields.
        return name in ("disabled", "overrides") or len(path) > 5 and name in ("key", "value")
    if path[0] == "name" or len(path) == 1 and name in ("filter", "request", "upstream", "processor", "library"):
        return True
    if "typed_dynamic_metadata" in path[:-1]:
        return True
    if name in ("phase", "do", "repeat", "of", "each", "key") or path == ("filter", "message_timeout"):
        return True
    # The request's own headers are its first four, the response's the first.
    if len(path) >= 2 and path[1] == "headers" and path[0] in ("request", "upstream"):
        return len(path) != 3 or int(name) < (4 if path[0] == "request" else 1)
    if path[0] in ("request", "upstream") and path[1:2] in (("trailers",), ("body",)) and len(path) > 2:
        return len(path) > 3 or len(parent) == 1
    return False


def _paths(node: object, prefix: Path = ()) -> Iterator[Path]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*prefix, key)
        yield from _paths(value, (*prefix, key))


def _at(node, path: Path):
    for key in path:
        node = node[key]
    return node
