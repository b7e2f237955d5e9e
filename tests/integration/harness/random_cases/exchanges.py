"""Requests, and what the upstream answers."""

import copy

from harness.random_cases import headers
from harness.random_cases.dice import Dice

METHODS = {"GET": 4, "POST": 5, "PUT": 2, "DELETE": 1, "HEAD": 1, "OPTIONS": 0.5, "PATCH": 0.5, "QUERY": 0.2}
PATHS = ("/path?x=1", "/", "/a/b/c", "/?q", "/path%20x?y=%3f")
AUTHORITIES = ("example.com", "example.com:8080", "localhost")
STATUSES = {"200": 10, "201": 1, "204": 1, "301": 1, "304": 1, "404": 2, "500": 1, "503": 1, "299": 0.3}
BUFFER_LIMIT = 65_535
# How often a content-length is wrong, for which Envoy closes the connection.
LIES = 0.08
CHUNKS = ("one", "two", "three", "a", "abc", '{"a": 1}', "é\0\n", "")
# Those that a proxy must not hand on, or that Envoy makes of its own, are left out: they are no business of the filter.
KNOWN = tuple(name for name in headers.KNOWN if name not in ("grpc-status", "grpc-message", "proxy-status"))


def generate(dice: Dice, needs: dict[str, bool]) -> dict:
    """The keys `request`, `upstream`, `buffer_limit`, `dynamic_metadata`; `needs` has `request_body`, ..., that must exist."""
    made: dict = {}
    large = dice.chance(0.05)
    if large or dice.chance(0.05):
        made["buffer_limit"] = BUFFER_LIMIT
    method = dice.weighted(METHODS)
    if method == "HEAD" and (needs.get("response_body") or needs.get("response_trailers")):
        method = "POST"
    made["request"] = {
        "headers": [
            [":method", method],
            [":scheme", "http"],
            [":authority", dice.weighted({AUTHORITIES[0]: 6, AUTHORITIES[1]: 1, AUTHORITIES[2]: 1})],
            [":path", dice.weighted({PATHS[0]: 6, PATHS[1]: 1, PATHS[2]: 1, PATHS[3]: 1, PATHS[4]: 1})],
            *_headers(dice),
        ]
    }
    _body(made["request"], dice, needs, "request", large)
    status = dice.weighted(STATUSES)
    empty = method == "HEAD" or status in ("204", "304")
    if empty and (needs.get("response_body") or needs.get("response_trailers")):
        status, empty = "200", False
    made["upstream"] = {"headers": [[":status", status], *_headers(dice)]}
    if not empty:
        _body(made["upstream"], dice, needs, "response", large)
    if dice.chance(0.12):
        made["upstream"]["early"] = True
    if dice.chance(0.2):
        made["dynamic_metadata"] = {name: {"a": "b", "c": "1"} for name in dice.some(("one", "two", "three"), 2, 1)}
    return made


def keep_to_the_window(case: dict) -> None:
    """No more of a body than HTTP/2 lets through while Envoy holds all of it."""
    for message in (case["request"], case["upstream"]):
        large = [chunk for chunk in message.get("body", []) if isinstance(chunk, dict)]
        for chunk in large[1:]:
            chunk["repeat"] = 20_000
        for header in message["headers"]:
            if large and isinstance(header, list) and header[0] == "content-length":
                header[1] = str(_size(message.get("body", [])))


def is_fair(case: dict) -> bool:
    """Whether both messages keep to HTTP, so that Envoy's codecs let them in."""
    request, upstream = case.get("request", {}), case.get("upstream", {})
    empty = is_bodiless(case)
    asked = is_upgrade(request)
    if asked != ("connection" in headers_of(request)) or asked and "trailers" in request | upstream:
        return False
    switched = headers_of(upstream).get(":status") == "101"
    if switched and not asked or any(switched != (name in headers_of(upstream)) for name in ("connection", "upgrade")):
        return False
    if any("open" in message and "trailers" in message for message in (request, upstream)):
        return False
    whole = all(message.get(part, [0]) for message in (request, upstream) for part in ("body", "trailers"))
    together = any(lies(message) and "pacing" in message for message in (request, upstream))
    return whole and not together and not (empty and {"body", "trailers", "open"} & {*upstream})


def headers_of(message: dict) -> dict[str, str]:
    """By name, the last of each."""
    return {header[0]: header[1] for header in message.get("headers", []) if isinstance(header, list)}


def is_bodiless(case: dict) -> bool:
    """Whether the response must end with its headers."""
    method, status = headers_of(case.get("request", {})).get(":method"), headers_of(case.get("upstream", {})).get(":status")
    return method == "HEAD" or status in ("204", "304")


def is_upgrade(request: dict) -> bool:
    return "upgrade" in headers_of(request)


def without_upgrade(case: dict) -> dict:
    """The same as a request like others."""
    made = copy.deepcopy(case)
    for part in ("request", "upstream"):
        message = made[part]
        message["headers"] = [each for each in message["headers"] if isinstance(each, dict) or each[0] not in ("connection", "upgrade")]
    if made["upstream"]["headers"][0][1] == "101":
        made["upstream"]["headers"][0][1] = "200"
    return made


def lies(message: dict) -> bool:
    """Whether it says of its body what is not so. How much of it Envoy takes is certain only piece by piece."""
    size = str(_size(message.get("body", [])))
    return any(header[0] == "content-length" and header[1] != size for header in message.get("headers", []) if isinstance(header, list))


def _size(chunks: list) -> int:
    return sum(chunk["repeat"] if isinstance(chunk, dict) else len(chunk) for chunk in chunks)


def _headers(dice: Dice) -> list[list[str]]:
    made = [["x-one", "1"], ["x-two", "2"]] if dice.chance(0.8) else []
    for _ in range(dice.weighted({0: 4, 1: 3, 2: 2, 4: 1})):
        name = dice.pick(headers.PLAIN) if dice.chance(0.5) else dice.pick(KNOWN)
        # A referer that is none is dropped by Envoy before any filter.
        value = "/from" if name == "referer" else headers.value(dice, name, illegal=False)
        made += [[name, value.strip()]] * dice.weighted({1: 6, 2: 1})
    if dice.chance(0.06):
        made.append(["content-type", "application/grpc"])
    if dice.chance(0.03):
        made.append({"each": dice.pick((60, 85)), "of": ["x-n{i}", "v"]})
    return made


def _body(message: dict, dice: Dice, needs: dict[str, bool], side: str, large: bool) -> None:
    wanted = needs.get(f"{side}_body")
    chunks: list = []
    if wanted or dice.chance(0.65):
        chunks = [dice.pick(CHUNKS) for _ in range(dice.weighted({1: 4, 2: 4, 3: 2, 5: 0.5}))]
        if wanted and not any(chunks):
            chunks.append("abc")
        if large and dice.chance(0.7):
            # In two, since a window of the same size splits a larger chunk as it likes.
            chunks[:0] = [{"repeat": size, "of": "b"} for size in (40_000, dice.pick((20_000, 25_530, 25_535, 25_536)))]
    # Two empty DATA frames in a row are a flood, for which Envoy closes the connection.
    chunks = [chunk for i, chunk in enumerate(chunks) if chunk or i == 0 or chunks[i - 1]]
    if chunks:
        message["body"] = chunks
    if needs.get(f"{side}_trailers") or dice.chance(0.35):
        message["trailers"] = [["x-t", "1"], *([[dice.pick(headers.PLAIN), "2"]] if dice.chance(0.5) else [])]
        if side == "response" and dice.chance(0.2):
            message["trailers"].append(["grpc-status", "0"])
    if dice.chance(0.25):
        size = _size(chunks)
        wrong = (str(size + 1), str(size + 100), str(max(0, size - 1)), "0", "abc")
        message["headers"].append(["content-length", dice.pick(wrong) if not needs and dice.chance(LIES) else str(size)])
    # More than Envoy takes at once would not be together.
    if dice.chance(0.15) and not any(isinstance(chunk, dict) for chunk in chunks) and not lies(message):
        message["pacing"] = "together"
