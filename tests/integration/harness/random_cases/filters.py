"""Configurations of the filter."""

from harness.random_cases.dice import Dice

DUPLEX = "FULL_DUPLEX_STREAMED"
BODY_MODES = {"NONE": 3, "STREAMED": 4, "BUFFERED": 4, "BUFFERED_PARTIAL": 3, DUPLEX: 3, "GRPC": 0.5}
HEADER_MODES = {None: 8, "DEFAULT": 1, "SEND": 4, "SKIP": 3}
TRAILER_MODES = {None: 3, "DEFAULT": 1, "SEND": 6, "SKIP": 1}
NAMESPACES = ("one", "two", "three")
# Those whose values do not depend on the machine, or on how Envoy prints a message (metadata).
ATTRIBUTES = (
    "request.path", "request.url_path", "request.host", "request.scheme", "request.method", "request.headers",
    "request.referer", "request.useragent", "request.id", "request.protocol", "request.query", "request.size",
    "response.code", "response.size", "response.flags", "response.code_details", "response.headers", "response.trailers",
    "connection.mtls", "connection.requested_server_name", "xds.route_name", "xds.listener_direction", "filter_state",
)  # fmt: skip
EXPRESSIONS = ("x-.*", ":.*", "content-.*", "x-envoy-.*|host", ":method|:authority|:path", "accept.*", ".*")
STATUSES = ("ServiceUnavailable", "BadGateway", "Forbidden", "InternalServerError", 503, 507, "OK", "NotModified", "Continue")
PATTERNS = (
    {"exact": "x-one"},
    {"prefix": "x-"},
    {"suffix": "-two"},
    {"contains": "-ON", "ignore_case": True},
    {"exact": ":path"},
    {"safe_regex": {"regex": "x-.*|:.*"}},
    {"prefix": ":"},
    {"exact": "CONTENT-LENGTH", "ignore_case": True},
)
RULES = {
    "allow_all_routing": 0.6,
    "allow_envoy": 0.4,
    "disallow_system": 0.15,
    "disallow_all": 0.1,
    "disallow_is_error": 0.25,
}


def generate(dice: Dice, wanted_modes: dict[str, str]) -> dict:
    """`wanted_modes` are fields of the processing mode that are already decided."""
    made: dict = {}
    mode = processing_mode(dice, BODY_MODES) | wanted_modes
    _complete(mode)
    if mode:
        made["processing_mode"] = mode
    flags = {
        "failure_mode_allow": 0.3,
        "allow_mode_override": 0.25,
        "disable_immediate_response": 0.06,
        "observability_mode": 0.05,
        "send_body_without_waiting_for_header_response": 0.15,
        "allow_content_length_header": 0.12,
    }
    made |= {name: True for name, chance in flags.items() if dice.chance(chance)}
    if made.get("observability_mode"):
        # Otherwise the counters would depend on when they are read.
        made["deferred_close_timeout"] = "60s"
    if made.get("allow_mode_override") and dice.chance(0.3):
        made["allowed_override_modes"] = [_complete(processing_mode(dice, BODY_MODES)) for _ in range(dice.number(1, 3))]
    if dice.chance(0.35):
        made["mutation_rules"] = _rules(dice)
    if dice.chance(0.2):
        made["status_on_error"] = {"code": dice.pick(STATUSES)}
    if dice.chance(0.15):
        made["forward_rules"] = {
            name: {"patterns": dice.some(PATTERNS, 3, 1)} for name in dice.some(("allowed_headers", "disallowed_headers"), 2, 1)
        }
    for name in ("request_attributes", "response_attributes"):
        if dice.chance(0.12):
            made[name] = dice.some(ATTRIBUTES, 4, 1)
    if dice.chance(0.3):
        made["metadata_options"] = metadata_options(dice, least=1)
    if dice.chance(0.15):
        made |= dice.pick(({"disable_clear_route_cache": True}, {"route_cache_action": dice.pick(("CLEAR", "RETAIN"))}))
    if dice.chance(0.35):
        made["max_message_timeout"] = dice.pick(("20s", "0.3s"))
    return made


def metadata_options(dice: Dice, least: int) -> dict:
    """At least so many of its fields, and of the names in each."""
    names = dice.some(("forwarding_namespaces", "receiving_namespaces"), 2, least)
    return {name: {"untyped": dice.some(NAMESPACES, 3, least)} for name in names}


def processing_mode(dice: Dice, bodies: dict[str, float]) -> dict:
    mode = {}
    for side in ("request", "response"):
        header, trailer = dice.weighted(HEADER_MODES), dice.weighted(TRAILER_MODES)
        mode |= {f"{side}_header_mode": header} if header else {}
        mode |= {f"{side}_body_mode": dice.weighted(bodies)} if dice.chance(0.85) else {}
        mode |= {f"{side}_trailer_mode": trailer} if trailer else {}
    return mode


def is_valid(made: dict) -> bool:
    """Whether Envoy takes it."""
    modes = [made.get("processing_mode", {}), *made.get("allowed_override_modes", [])]
    if "disable_clear_route_cache" in made and "route_cache_action" in made:
        return False
    lists = [made.get("forward_rules", {}).get(name, {"patterns": [0]}) for name in ("allowed_headers", "disallowed_headers")]
    if any(not matchers.get("patterns") or {} in matchers["patterns"] for matchers in lists):
        return False
    expressions = [made.get("mutation_rules", {}).get(name, {"regex": 1}) for name in ("allow_expression", "disallow_expression")]
    return all("regex" in expression for expression in expressions) and all(
        mode.get(f"{side}_body_mode") != DUPLEX or mode.get(f"{side}_trailer_mode") == "SEND"
        for mode in modes
        for side in ("request", "response")
    )


def _complete(mode: dict) -> dict:
    for side in ("request", "response"):
        if mode.get(f"{side}_body_mode") == DUPLEX:
            mode[f"{side}_trailer_mode"] = "SEND"
    return mode


def _rules(dice: Dice) -> dict:
    rules: dict = {name: dice.chance(0.9) for name, chance in RULES.items() if dice.chance(chance)}
    for name in ("allow_expression", "disallow_expression"):
        if dice.chance(0.3 if name == "allow_expression" else 0.2):
            rules[name] = {"regex": dice.pick(EXPRESSIONS[:-1] if name == "disallow_expression" else EXPRESSIONS)}
    return rules
